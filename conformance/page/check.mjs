// Opens the conformance page in headless Chromium, as its readers do, and holds it to what it promises:
// no fault that axe-core knows, light and dark, wide and on a phone; nothing asked of anybody; two clicks from a cell
// that is not as it should be to the command that plays it again; at most a megabyte.
//
//   node conformance/page/check.mjs FOLDER [--views light,dark,phone] [--screenshots FOLDER]
//
// Everything that is missing is an error: the browser, a library, the page.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync, statSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: { views: { type: "string", default: "light,dark,phone" }, screenshots: { type: "string" } },
});
const [folder] = positionals;
const { screenshots } = options;
if (!folder) throw new Error("name the folder of the page");
// The libraries lie where .ci/install-peers puts them.
const libraries = resolve(import.meta.dirname, "../../target/peers/page");
const require = createRequire(join(libraries, "node_modules", "x"));
const CDP = require("chrome-remote-interface");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const page = resolve(folder, "index.html");
const known = [
    { name: "light", width: 1280, height: 900, scheme: "light", mobile: false },
    { name: "dark", width: 1280, height: 900, scheme: "dark", mobile: false },
    { name: "phone", width: 390, height: 844, scheme: "light", mobile: true },
];
const views = options.views.split(",").map((name) => {
    const view = known.find((view) => view.name === name);
    if (!view) throw new Error(`no view is called ${name}`);
    return view;
});

let faults = 0;
const holds = (what, is, detail = "") => {
    if (!is) faults += 1;
    console.log(`${is ? "ok  " : "FAIL"} ${what}${is ? "" : `: ${detail}`}`);
};

// Waits for the line in which the browser says where it listens.
const browser = async () => {
    const profile = mkdtempSync(join(tmpdir(), "page-"));
    const child = spawn("chromium", [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--no-first-run",
        "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank",
    ], { stdio: ["ignore", "ignore", "pipe"] });
    const port = await new Promise((found, failed) => {
        let text = "";
        child.on("error", (error) => failed(new Error(`chromium cannot be started (${error.message}); run .ci/install-peers`)));
        child.on("exit", (code) => failed(new Error(`chromium ended with ${code}: ${text.slice(-400)}`)));
        child.stderr.on("data", (data) => {
            text += data;
            const line = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(text);
            if (line) found(Number(line[1]));
        });
    });
    const end = async () => {
        // The browser ends before the processes that it has started, and these write to the profile until they end. All of
        // them have its standard error, which is closed when the last one has gone.
        const ended = new Promise((done) => child.once("close", done));
        child.kill();
        await ended;
        rmSync(profile, { recursive: true, force: true });
    };
    return { port, end };
};

const look = async (client, view) => {
    const { Page, Runtime, Emulation, Network } = client;
    await Promise.all([Page.enable(), Runtime.enable(), Network.enable()]);
    const asked = [];
    Network.requestWillBeSent(({ request }) => asked.push(request.url));
    await Emulation.setDeviceMetricsOverride({ width: view.width, height: view.height, deviceScaleFactor: 1, mobile: view.mobile });
    await Emulation.setEmulatedMedia({ features: [{ name: "prefers-color-scheme", value: view.scheme }] });
    const loaded = Page.loadEventFired();
    await Page.navigate({ url: pathToFileURL(page).href });
    await loaded;
    const value = async (expression) => {
        const { result, exceptionDetails } = await Runtime.evaluate({ expression, awaitPromise: true, returnByValue: true });
        if (exceptionDetails) throw new Error(`${view.name}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
        return result.value;
    };
    const elsewhere = asked.filter((url) => !url.startsWith("file:"));
    holds(`${view.name}: asks nobody for anything`, asked.length === 1 && elsewhere.length === 0, asked.join(" "));
    const paper = await value("getComputedStyle(document.body).backgroundColor");
    holds(`${view.name}: the paper is ${view.scheme}`, (paper === "rgb(255, 255, 255)") === (view.scheme === "light"), paper);
    const overflow = await value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    holds(`${view.name}: the page itself does not scroll sideways`, overflow <= 0, `${overflow} px too wide`);
    if (screenshots) {
        const shot = async (name) => {
            const { data } = await Page.captureScreenshot({ format: "png" });
            writeFileSync(join(screenshots, `${name}.png`), Buffer.from(data, "base64"));
        };
        await shot(view.name);
        await value("document.querySelector('td.bad a').closest('table').scrollIntoView()");
        await shot(`${view.name}-matrix`);
    }
    // The first click is on a cell; what is then on the screen must hold the command.
    const cells = await value("document.querySelectorAll('td.bad a').length");
    holds(`${view.name}: some cell is not as it should be, or this check checks nothing`, cells > 0);
    const lost = await value(`[...document.querySelectorAll('td a')].filter((cell) => {
        const place = document.getElementById(cell.getAttribute('href').slice(1));
        return !place || !/gearman-conformance run \\S+/.test(place.textContent);
    }).map((cell) => cell.getAttribute('href')).join(' ')`);
    holds(`${view.name}: every marked cell leads to its command`, lost === "", lost);
    await value("document.querySelector('td.bad a').click()");
    const seen = await value(`(() => {
        const box = [...document.querySelectorAll(':target code')].find((code) => code.textContent.startsWith('gearman-conformance run'))?.getBoundingClientRect();
        return !!box && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
    })()`);
    holds(`${view.name}: the command is on the screen after one click`, seen);
    if (screenshots) {
        const { data } = await Page.captureScreenshot({ format: "png" });
        writeFileSync(join(screenshots, `${view.name}-case.png`), Buffer.from(data, "base64"));
    }
    const rows = "[...document.querySelectorAll('tr')].filter((row) => row.getClientRects().length).length";
    const all = await value(rows);
    await value("document.getElementById('only').click()");
    const few = await value(rows);
    holds(`${view.name}: the box hides what all servers do well`, few < all, `${few} of ${all} rows`);
    await value("document.getElementById('only').click()");
    await value("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
    await value(axe);
    const { violations, passes } = await value(`axe.run(document, { resultTypes: ['violations'] })
        .then(({ violations, passes }) => ({ passes: passes.length, violations: violations.map(({ id, help, nodes }) => ({ id, help, count: nodes.length, first: nodes[0].html.slice(0, 120) })) }))`);
    holds(`${view.name}: axe looked at something`, passes > 10, `${passes} rules passed`);
    for (const { id, help, count, first } of violations) holds(`${view.name}: axe ${id}`, false, `${help} (${count} times, first ${first})`);
    if (violations.length === 0) holds(`${view.name}: axe finds no fault`, true);
};

holds("the page is at most a megabyte", statSync(page).size <= 1_000_000, `${statSync(page).size} bytes`);
const { port, end } = await browser();
try {
    for (const view of views) {
        const target = await CDP.New({ port });
        const client = await CDP({ port, target });
        await look(client, view);
        await client.close();
        await CDP.Close({ port, id: target.id });
    }
} finally {
    await end();
}
if (faults > 0) {
    console.error(`check-page: ${faults} faults in ${page}`);
    process.exit(1);
}
