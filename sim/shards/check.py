"""Checks the files beside it: against their schemas, and by doing on this machine what they ask for.

    check.py PROGRAM TOOLS

PROGRAM is a built gearman-sim, TOOLS the directory of check-jsonschema and kubernetes-validate.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent
SEEDS = "64"


def fail(what):
    sys.exit(f"check.py: {what}")


def documents(name):
    return list(YAML(typ="safe").load_all((HERE / name).read_text()))


def schemas(tools):
    run = lambda *words: subprocess.run(words, check=True)
    run(tools / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", HERE / "github-workflow.yml")
    for name in ["kubernetes.yml", "kubernetes-report.yml"]:
        run(tools / "kubernetes-validate", "--strict", HERE / name)


def job(documents):
    (found,) = [document["spec"] for document in documents if document["kind"] == "Job"]
    (container,) = found["template"]["spec"]["containers"]
    return found, container


def pod(container, index, program, results):
    """Runs a container's arguments as a process, with its volume in a directory."""
    env = dict(os.environ)
    for variable in container.get("env", []):
        by_index = "job-completion-index" in str(variable.get("valueFrom"))
        env[variable["name"]] = str(index) if by_index else variable["value"]
    env["SEEDS"] = SEEDS
    (mount,) = container["volumeMounts"]
    expanded = [re.sub(r"\$\((\w+)\)", lambda name: env[name[1]], word) for word in container["args"]]
    words = [word.replace(mount["mountPath"], str(results)) for word in expanded]
    return subprocess.run([program, *words], env=env, stdout=subprocess.PIPE, text=True)


def kubernetes(program, scratch):
    """Every pod of the indexed Job, then that of the report."""
    results = scratch / "volume"
    results.mkdir()
    shards, container = job(documents("kubernetes.yml"))
    for index in range(shards["completions"]):
        done = pod(container, index, program, results)
        if done.returncode != 0:
            fail(f"kubernetes.yml: pod {index} ended with {done.returncode}: {done.stdout}")
    report, container = job(documents("kubernetes-report.yml"))
    done = pod(container, 0, program, results)
    if done.returncode != 0:
        fail(f"kubernetes-report.yml ended with {done.returncode}: {done.stdout}")
    return done.stdout, results


def substituted(text, context):
    def value(expression):
        name = expression[1].strip()
        return str(context[name]) if name in context else fail(f"github-workflow.yml: what is {name!r}?")

    return re.sub(r"\$\{\{(.*?)\}\}", value, str(text))


def steps(workflow, name, directory, artifacts, context):
    """Does the steps of a job in a directory of its own; artifacts are directories."""
    directory.mkdir()
    for step in workflow["jobs"][name]["steps"]:
        if "run" in step:
            env = dict(os.environ, SEEDS=SEEDS)
            env.update({key: substituted(value, context) for key, value in step.get("env", {}).items()})
            words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", substituted(step["run"], context)]
            done = subprocess.run(words, cwd=directory, env=env, stdout=subprocess.PIPE, text=True)
            if done.returncode != 0:
                fail(f"github-workflow.yml: {name} ended with {done.returncode}: {done.stdout}")
        elif step["uses"].startswith("actions/upload-artifact@") and step.get("if") != "${{ failure() }}":
            given = {key: substituted(value, context) for key, value in step["with"].items()}
            put(directory / given["path"], artifacts / given["name"])
        elif step["uses"].startswith("actions/download-artifact@"):
            given = step["with"]
            for found in sorted(artifacts.glob(given.get("pattern", given.get("name")))):
                shutil.copytree(found, directory / given.get("path", "."), dirs_exist_ok=True)


def put(path, artifact):
    artifact.mkdir()
    if path.is_dir():
        shutil.copytree(path, artifact, dirs_exist_ok=True)
    else:
        shutil.copy(path, artifact)
    # An artifact keeps no permissions.
    for file in artifact.rglob("*"):
        file.chmod(0o644)


def github(program, scratch):
    """Every job of the workflow but the build."""
    (workflow,) = documents("github-workflow.yml")
    artifacts = scratch / "artifacts"
    artifacts.mkdir()
    put(program, artifacts / "gearman-sim")
    shards = workflow["jobs"]["shard"]["strategy"]["matrix"]["shard"]
    for shard in shards:
        context = {"matrix.shard": shard, "strategy.job-total": len(shards)}
        steps(workflow, "shard", scratch / f"shard-{shard}", artifacts, context)
    steps(workflow, "report", scratch / "report", artifacts, {})
    return json.loads((artifacts / "report" / "report.json").read_text())


def whole(program, scratch):
    file = scratch / "whole.json"
    subprocess.run([program, "--seeds", SEEDS, "--json", file], check=True, stdout=subprocess.PIPE)
    return json.loads(file.read_text())


def comparable(results):
    return {**results["summary"], "took_ms": 0}


def main():
    program, tools = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    schemas(tools)
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        one = comparable(whole(program, scratch))
        if comparable(github(program, scratch)) != one:
            fail("github-workflow.yml: its report is not what one process says of all seeds")
        said, results = kubernetes(program, scratch)
        again = scratch / "again.json"
        subprocess.run([program, "report", results, "--json", again], check=True, stdout=subprocess.PIPE)
        if comparable(json.loads(again.read_text())) != one:
            fail("kubernetes.yml: its results together are not what one process says of all seeds")
        if f"{SEEDS} seeds, 0 not clean" not in said:
            fail(f"kubernetes-report.yml does not say how many seeds there were: {said}")
    print(f"check.py: {SEEDS} seeds in the shards of both files come to what one process says")


main()
