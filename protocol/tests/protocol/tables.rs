//! The numbers, names and texts that peers rely on.

use bytes::Bytes;
use gearman_protocol::{DecodeError, Direction, ErrorCode, Frame, Magic, Packet, PacketType, Request};
use insta::assert_snapshot;

/// The types whose numbers lie in the range, one on a line.
fn chapter(numbers: std::ops::RangeInclusive<u32>) -> String {
    let lines = numbers.map(|number| {
        let packet_type = PacketType::from_number(number).expect("a number of the protocol");
        let way = match packet_type.direction() {
            Direction::Request => "->",
            Direction::Response => "<-",
            Direction::Both => "<>",
            Direction::Unused => "--",
        };
        let line = format!("{number:2} {way} {} {}", packet_type.name(), packet_type.arguments().join(" "));
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn types_1_to_14() {
    assert_snapshot!(chapter(1..=14), @r#"
     1 -> CAN_DO function
     2 -> CANT_DO function
     3 -> RESET_ABILITIES
     4 -> PRE_SLEEP
     5 -- UNUSED_5
     6 <- NOOP
     7 -> SUBMIT_JOB function unique workload
     8 <- JOB_CREATED handle
     9 -> GRAB_JOB
    10 <- NO_JOB
    11 <- JOB_ASSIGN handle function workload
    12 <> WORK_STATUS handle numerator denominator
    13 <> WORK_COMPLETE handle result
    14 <> WORK_FAIL handle
    "#);
}

#[test]
fn types_15_to_28() {
    assert_snapshot!(chapter(15..=28), @r#"
    15 -> GET_STATUS handle
    16 -> ECHO_REQ data
    17 <- ECHO_RES data
    18 -> SUBMIT_JOB_BG function unique workload
    19 <- ERROR code text
    20 <- STATUS_RES handle known running numerator denominator
    21 -> SUBMIT_JOB_HIGH function unique workload
    22 -> SET_CLIENT_ID id
    23 -> CAN_DO_TIMEOUT function timeout
    24 -> ALL_YOURS
    25 <> WORK_EXCEPTION handle data
    26 -> OPTION_REQ option
    27 <- OPTION_RES option
    28 <> WORK_DATA handle data
    "#);
}

#[test]
fn types_29_to_42() {
    assert_snapshot!(chapter(29..=42), @r#"
    29 <> WORK_WARNING handle data
    30 -> GRAB_JOB_UNIQ
    31 <- JOB_ASSIGN_UNIQ handle function unique workload
    32 -> SUBMIT_JOB_HIGH_BG function unique workload
    33 -> SUBMIT_JOB_LOW function unique workload
    34 -> SUBMIT_JOB_LOW_BG function unique workload
    35 -> SUBMIT_JOB_SCHED function unique minute hour day month weekday workload
    36 -> SUBMIT_JOB_EPOCH function unique epoch workload
    37 -> SUBMIT_REDUCE_JOB function unique reducer aggregator workload
    38 -> SUBMIT_REDUCE_JOB_BACKGROUND function unique reducer aggregator workload
    39 -> GRAB_JOB_ALL
    40 <- JOB_ASSIGN_ALL handle function unique reducer workload
    41 -> GET_STATUS_UNIQUE unique
    42 <- STATUS_RES_UNIQUE unique known running numerator denominator clients
    "#);
}

#[test]
fn no_other_number_is_a_type() {
    assert_eq!(PacketType::ALL.len(), 42);
    for number in [0, 43, 44, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff] {
        assert_eq!(PacketType::from_number(number), None, "{number}");
    }
    for &packet_type in PacketType::ALL {
        assert_eq!(PacketType::from_number(packet_type.number()), Some(packet_type));
        assert_eq!(PacketType::from_name(packet_type.name()), Some(packet_type));
    }
}

#[test]
fn types_that_no_server_takes_are_not_expected() {
    let from_servers = [6, 8, 10, 11, 17, 19, 20, 27, 31, 40, 42];
    for number in from_servers.into_iter().chain([0, 5, 35, 43, 0x8000_0000]) {
        let body = Bytes::from("f u 1 2 3 4 5 x".replace(' ', "\0"));
        let request = Request::parse(Frame::Packet(Packet { magic: Magic::Request, number, body }));
        assert_eq!(request, Err(DecodeError::UnexpectedType(number)), "{number}");
    }
}

#[test]
fn a_missing_argument_is_not_looked_for_elsewhere() {
    let requests = PacketType::ALL.iter().filter(|packet_type| match packet_type.direction() {
        Direction::Request | Direction::Both => **packet_type != PacketType::SubmitJobSched,
        Direction::Response | Direction::Unused => false,
    });
    let mut tried = 0;
    // Data of no bytes may lack its NUL.
    let is_lenient = |packet_type: PacketType| {
        packet_type.arguments().len() == 2 && packet_type.name().starts_with("WORK_")
    };
    let requests = requests.filter(|packet_type| !is_lenient(**packet_type));
    for packet_type in requests.filter(|packet_type| packet_type.arguments().len() > 1) {
        let (number, wanted) = (packet_type.number(), packet_type.arguments().len());
        let body = Bytes::from(vec!["1"; wanted - 1].join("\0"));
        let request = Request::parse(Frame::Packet(Packet { magic: Magic::Request, number, body }));
        assert_eq!(request, Err(DecodeError::TooFewArguments { number, wanted, got: wanted - 1 }));
        tried += 1;
    }
    assert_eq!(tried, 11, "nine submits, one registration and one report");
}

#[test]
fn a_body_that_a_type_does_not_ask_for_is_ignored() {
    let parse = |packet_type: PacketType, body: &'static [u8]| {
        let (number, body) = (packet_type.number(), Bytes::from_static(body));
        Request::parse(Frame::Packet(Packet { magic: Magic::Request, number, body }))
    };
    let asks_for_nothing = |packet_type: &&PacketType| {
        packet_type.direction() == Direction::Request && packet_type.arguments().is_empty()
    };
    let types: Vec<&PacketType> = PacketType::ALL.iter().filter(asks_for_nothing).collect();
    assert_eq!(types.len(), 6, "three grabs, sleep, reset and all yours");
    for &packet_type in types {
        let plain = parse(packet_type, b"");
        assert!(plain.is_ok(), "{}", packet_type.name());
        for body in [&b"\0"[..], b"f\0u\0x", b"\0REQ\0\0\0\x09\0\0\0\0"] {
            assert_eq!(parse(packet_type, body), plain, "{}", packet_type.name());
        }
    }
}

#[test]
fn what_bad_bytes_are_told() {
    let errors = [
        DecodeError::BadMagic(*b"\0FOO"),
        DecodeError::LineTooLong { limit: 8192 },
        DecodeError::WrongMagic { number: 7 },
        DecodeError::UnexpectedType(43),
        DecodeError::TooFewArguments { number: 7, wanted: 3, got: 1 },
        DecodeError::FunctionName,
        DecodeError::UniqueTooLarge,
        DecodeError::PacketTooLarge { size: 9 },
    ];
    let lines = errors.map(|error| {
        let ((code, text), ends) = (error.as_refusal(), if error.is_fatal() { "ends" } else { "goes on" });
        format!("{ends}: {} {text}", code.as_str())
    });
    assert_snapshot!(lines.join("\n"), @r#"
    ends: INVALID_MAGIC Request magic expected
    ends: ARGUMENT_TOO_LARGE Text line exceeds the limit
    goes on: INVALID_MAGIC Request magic expected
    goes on: INVALID_COMMAND Command not expected
    goes on: INVALID_PACKET Packet has too few arguments
    goes on: INVALID_FUNCTION_NAME Function name must be 1 to 512 bytes without control characters
    goes on: ARGUMENT_TOO_LARGE Unique value too large
    goes on: ARGUMENT_TOO_LARGE Packet exceeds the limit
    "#);
}

#[test]
fn error_codes() {
    let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_snapshot!(codes.join("\n"), @r#"
    INVALID_MAGIC
    INVALID_COMMAND
    INVALID_PACKET
    INVALID_FUNCTION_NAME
    ARGUMENT_TOO_LARGE
    QUEUE_ERROR
    UNKNOWN_OPTION
    JOB_NOT_FOUND
    SHUTDOWN_GRACEFUL
    TOO_MANY_CONNECTIONS
    TIMEOUT
    "#);
}
