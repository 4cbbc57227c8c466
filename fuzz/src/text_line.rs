//! Any line of the text protocol.

use crate::observer::{Observer, rows};
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Engine, Event};
use gearman_protocol::{
    AdminReply, AdminRequest, FunctionName, Grab, Mode, Outward, Priority, Request, Response, Submit, Time,
    Unique,
};

const ASKER: ConnectionId = ConnectionId::new(1);

/// Every line gets exactly one answer, which is one line or a table whose rows have their columns whatever strangers
/// have put into them.
///
/// The first byte says how much of the rest is the function and the unique of a job and the name of a connection; the
/// line is what remains.
pub fn text_line(input: &[u8]) {
    let Some((&length, rest)) = input.split_first() else { return };
    let (name, line) = rest.split_at(usize::from(length % 80).min(rest.len()));
    if line.contains(&b'\n') {
        return;
    }
    let command = AdminRequest::parse(&line.to_vec().into());
    check_case(line, &command);
    let mut engine = engine_with(name);
    let mut effects = Effects::new();
    let event = Event::Received { from: ASKER, request: Request::Admin(command.clone()) };
    engine.handle(Time::ZERO, event, &mut effects);
    let replies: Vec<AdminReply> = effects.drain().filter_map(admin_reply).collect();
    let [reply] = &replies[..] else { panic!("{} answers to {command:?}", replies.len()) };
    check_layout(reply);
    engine.check().expect("the tables agree");
    Observer::new(&mut engine, Time::ZERO).expect("nobody else is there").check();
}

/// A key word has no case.
fn check_case(line: &[u8], command: &AdminRequest) {
    let has_words = matches!(
        command,
        AdminRequest::Malformed(_)
            | AdminRequest::CancelJob(_)
            | AdminRequest::CreateFunction(_)
            | AdminRequest::DropFunction(_)
            | AdminRequest::MaxQueue { .. }
    );
    if !has_words {
        assert_eq!(AdminRequest::parse(&line.to_ascii_uppercase().into()), *command);
    }
}

/// An engine in which strangers have used a name of their choice for whatever has one.
fn engine_with(name: &[u8]) -> Engine {
    let mut engine = Engine::new(Config { allow_shutdown: true, ..Config::default() }, 1);
    let mut effects = Effects::new();
    let mut tell = |event| engine.handle(Time::ZERO, event, &mut effects);
    tell(Event::Opened { from: ASKER, peer: "::1".to_owned() });
    let mut ask = |request| tell(Event::Received { from: ASKER, request });
    ask(Request::SetClientId { id: name.to_vec().into() });
    let function =
        FunctionName::new(name.to_vec()).unwrap_or_else(|_| FunctionName::new("lap").expect("a name"));
    ask(Request::CanDo { function: function.clone(), timeout: None });
    ask(Request::Submit(Submit {
        function,
        unique: Unique::new(name.to_vec()).unwrap_or_default(),
        priority: Priority::Normal,
        mode: Mode::Background,
        reducer: None,
        workload: name.to_vec().into(),
    }));
    ask(Request::Grab(Grab::All));
    engine
}

fn admin_reply(effect: Effect) -> Option<AdminReply> {
    match effect {
        Effect::Send { to, response: Response::Admin(reply) } if to == ASKER => Some(reply),
        _ => None,
    }
}

fn check_layout(reply: &AdminReply) {
    let mut out = Outward::new();
    Response::Admin(reply.clone()).encode(&mut out);
    let text = out.to_vec();
    let columns = match reply {
        AdminReply::Status(_) | AdminReply::Jobs(_) => 4,
        AdminReply::PriorityStatus(_) => 5,
        AdminReply::UniqueJobs(_) | AdminReply::Workers(_) => 1,
        AdminReply::Part(_) => unreachable!("one function is no long table"),
        AdminReply::Ok | AdminReply::Value(_) | AdminReply::Error(_) | AdminReply::Line(_) => {
            assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), 1, "one line");
            assert!(text.ends_with(b"\n"));
            return;
        }
    };
    for row in rows(&text) {
        assert_eq!(row.split(|&byte| byte == b'\t').count(), columns, "{}", row.escape_ascii());
    }
}
