//! The one table of packet types, from which names, numbers, directions and argument lists all come.

/// Who may send a packet of some type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Only clients and workers, to the server.
    Request,
    /// Only the server, to clients and workers.
    Response,
    /// Workers send it to the server, which passes it on to clients.
    Both,
    /// Nobody: the number is assigned to no packet.
    Unused,
}

macro_rules! packet_types {
    ($( $number:literal $variant:ident $name:literal $direction:ident [$($argument:literal),*] $doc:literal; )*) => {
        /// The type of a binary packet.
        ///
        /// | number | name | sent as | arguments | meaning |
        /// |---|---|---|---|---|
        $(#[doc = concat!("| ", $number, " | ", $name, " | ", stringify!($direction), " | ", $("`", $argument, "` ",)* "| ", $doc, " |")])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum PacketType {
            $(
                #[doc = concat!("`", $name, "`: ", $doc, ".")]
                $variant = $number,
            )*
        }

        impl PacketType {
            /// Every type, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The type with this number on the wire.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name the protocol's text gives it, such as `SUBMIT_JOB_BG`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Who may send it.
            #[must_use]
            pub const fn direction(self) -> Direction {
                match self {
                    $(Self::$variant => Direction::$direction,)*
                }
            }

            /// What its arguments are called; they are joined by NUL bytes and the last runs to the end.
            #[must_use]
            pub const fn arguments(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($argument),*],)*
                }
            }
        }
    };
}

packet_types! {
    1 CanDo "CAN_DO" Request ["function"] "a worker can do a function";
    2 CantDo "CANT_DO" Request ["function"] "a worker can no longer do a function";
    3 ResetAbilities "RESET_ABILITIES" Request [] "a worker can no longer do any function";
    4 PreSleep "PRE_SLEEP" Request [] "a worker will sleep until it gets a NOOP";
    5 Unused5 "UNUSED_5" Unused [] "a number that was never given away";
    6 Noop "NOOP" Response [] "a sleeping worker shall wake and grab";
    7 SubmitJob "SUBMIT_JOB" Request ["function", "unique", "workload"] "submit a foreground job";
    8 JobCreated "JOB_CREATED" Response ["handle"] "a submit was accepted";
    9 GrabJob "GRAB_JOB" Request [] "a worker asks for a job";
    10 NoJob "NO_JOB" Response [] "there is no job for this worker";
    11 JobAssign "JOB_ASSIGN" Response ["handle", "function", "workload"] "a job for the worker that grabbed";
    12 WorkStatus "WORK_STATUS" Both ["handle", "numerator", "denominator"] "how far a job has come";
    13 WorkComplete "WORK_COMPLETE" Both ["handle", "result"] "a job is done";
    14 WorkFail "WORK_FAIL" Both ["handle"] "a job has failed";
    15 GetStatus "GET_STATUS" Request ["handle"] "ask for the status of a job";
    16 EchoReq "ECHO_REQ" Request ["data"] "send these bytes back";
    17 EchoRes "ECHO_RES" Response ["data"] "the bytes that were sent";
    18 SubmitJobBg "SUBMIT_JOB_BG" Request ["function", "unique", "workload"] "submit a background job";
    19 Error "ERROR" Response ["code", "text"] "a request was refused";
    20 StatusRes "STATUS_RES" Response ["handle", "known", "running", "numerator", "denominator"] "the status of a job";
    21 SubmitJobHigh "SUBMIT_JOB_HIGH" Request ["function", "unique", "workload"] "submit a foreground job of high priority";
    22 SetClientId "SET_CLIENT_ID" Request ["id"] "what to call this connection in `workers`";
    23 CanDoTimeout "CAN_DO_TIMEOUT" Request ["function", "timeout"] "a worker can do a function within a time";
    24 AllYours "ALL_YOURS" Request [] "a worker does nothing else";
    25 WorkException "WORK_EXCEPTION" Both ["handle", "data"] "a job has failed, and why";
    26 OptionReq "OPTION_REQ" Request ["option"] "switch an option on for this connection";
    27 OptionRes "OPTION_RES" Response ["option"] "an option was switched on";
    28 WorkData "WORK_DATA" Both ["handle", "data"] "part of a job's result";
    29 WorkWarning "WORK_WARNING" Both ["handle", "data"] "a warning from a job";
    30 GrabJobUniq "GRAB_JOB_UNIQ" Request [] "a worker asks for a job and its unique";
    31 JobAssignUniq "JOB_ASSIGN_UNIQ" Response ["handle", "function", "unique", "workload"] "a job and its unique";
    32 SubmitJobHighBg "SUBMIT_JOB_HIGH_BG" Request ["function", "unique", "workload"] "submit a background job of high priority";
    33 SubmitJobLow "SUBMIT_JOB_LOW" Request ["function", "unique", "workload"] "submit a foreground job of low priority";
    34 SubmitJobLowBg "SUBMIT_JOB_LOW_BG" Request ["function", "unique", "workload"] "submit a background job of low priority";
    35 SubmitJobSched "SUBMIT_JOB_SCHED" Request ["function", "unique", "minute", "hour", "day", "month", "weekday", "workload"] "submit by calendar; no server does it";
    36 SubmitJobEpoch "SUBMIT_JOB_EPOCH" Request ["function", "unique", "epoch", "workload"] "submit a background job that starts at a time";
    37 SubmitReduceJob "SUBMIT_REDUCE_JOB" Request ["function", "unique", "reducer", "aggregator", "workload"] "submit a foreground job with a reducer";
    38 SubmitReduceJobBackground "SUBMIT_REDUCE_JOB_BACKGROUND" Request ["function", "unique", "reducer", "aggregator", "workload"] "submit a background job with a reducer";
    39 GrabJobAll "GRAB_JOB_ALL" Request [] "a worker asks for a job, its unique and its reducer";
    40 JobAssignAll "JOB_ASSIGN_ALL" Response ["handle", "function", "unique", "reducer", "workload"] "a job, its unique and its reducer";
    41 GetStatusUnique "GET_STATUS_UNIQUE" Request ["unique"] "ask for the status of a job by its unique";
    42 StatusResUnique "STATUS_RES_UNIQUE" Response ["unique", "known", "running", "numerator", "denominator", "clients"] "the status of a job by its unique";
}

impl PacketType {
    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The type with this name, such as `SUBMIT_JOB_BG`; names are upper case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|packet_type| packet_type.name() == name)
    }
}
