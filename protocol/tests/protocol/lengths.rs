//! Each name in each form of submit is held against its own limit.

use bytes::Bytes;
use gearman_protocol::{DecodeError, Direction, Frame, Magic, Packet, PacketType, Request};

/// What a submit of this type is taken for whose argument called `name` has `length` bytes.
fn parse(packet_type: PacketType, name: &str, length: usize) -> Result<Request, DecodeError> {
    let arguments =
        packet_type.arguments().iter().map(|&argument| "1".repeat(if argument == name { length } else { 1 }));
    let body = Bytes::from(arguments.collect::<Vec<_>>().join("\0"));
    Request::parse(Frame::Packet(Packet { magic: Magic::Request, number: packet_type.number(), body }))
}

/// H-205: a form that has two names checks both.
#[test]
fn every_length_of_every_submit_is_checked() {
    let limits = [
        ("function", 512, DecodeError::FunctionName),
        ("unique", 64, DecodeError::UniqueTooLarge),
        ("reducer", 64, DecodeError::UniqueTooLarge),
    ];
    let mut checked = 0;
    for &packet_type in PacketType::ALL {
        let is_submit =
            packet_type.name().starts_with("SUBMIT_") && packet_type != PacketType::SubmitJobSched;
        if is_submit {
            assert_eq!(parse(packet_type, "function", 0), Err(DecodeError::FunctionName));
        }
        for (name, longest, error) in limits {
            if is_submit && packet_type.arguments().contains(&name) {
                assert!(parse(packet_type, name, longest).is_ok(), "{} {name}", packet_type.name());
                assert_eq!(
                    parse(packet_type, name, longest + 1),
                    Err(error),
                    "{} {name}",
                    packet_type.name()
                );
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 9 * 2 + 2, "nine forms with two names each, and two reducers");
}

/// Handles, numbers, options and the like have no limit of their own, and none together either.
#[test]
fn what_is_no_name_may_be_of_any_length() {
    let named = ["function", "unique", "reducer"];
    let mut tried = 0;
    for &packet_type in PacketType::ALL {
        let is_request = matches!(packet_type.direction(), Direction::Request | Direction::Both);
        if !is_request || packet_type == PacketType::SubmitJobSched {
            continue;
        }
        for &argument in packet_type.arguments().iter().filter(|argument| !named.contains(argument)) {
            let parsed = parse(packet_type, argument, 20_000);
            assert!(parsed.is_ok(), "{} {argument}: {parsed:?}", packet_type.name());
            tried += 1;
        }
    }
    assert_eq!(tried, 9 + 1 + 2 + 12 + 5, "workloads, epoch, aggregators, reports, five others");
}

#[test]
fn a_unique_that_is_asked_about_has_the_limit_of_one_that_is_submitted() {
    assert!(parse(PacketType::GetStatusUnique, "unique", 64).is_ok());
    assert_eq!(parse(PacketType::GetStatusUnique, "unique", 65), Err(DecodeError::UniqueTooLarge));
}

/// H-105: nothing that parts words, lines or arguments stands in a name, whoever tells it.
#[test]
fn a_function_has_a_name_without_control_characters() {
    let forms = [PacketType::CanDo, PacketType::CantDo, PacketType::CanDoTimeout, PacketType::SubmitJob];
    for packet_type in forms {
        let others = "\x001".repeat(packet_type.arguments().len() - 1);
        let parse = |name: &[u8]| {
            let body = Bytes::from([name, others.as_bytes()].concat());
            Request::parse(Frame::Packet(Packet {
                magic: Magic::Request,
                number: packet_type.number(),
                body,
            }))
        };
        assert!(parse("größe: a/b".as_bytes()).is_ok(), "{}", packet_type.name());
        assert_eq!(parse(b""), Err(DecodeError::FunctionName), "{}", packet_type.name());
        // Where another argument follows, a NUL is the end of the name.
        let first = u8::from(!others.is_empty());
        for byte in (first..32).chain([127]) {
            assert_eq!(parse(&[b'a', byte]), Err(DecodeError::FunctionName), "{} {byte}", packet_type.name());
        }
    }
}
