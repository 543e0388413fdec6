//! The checks that the client runs, in this order. Each says in its name what holds when it passes.

use std::thread;
use std::time::{Duration, Instant};

use protobuf::ProtobufEnum;
use ttrpc::ttrpc::KeyValue;
use ttrpc::{Client, Code, Error, Request};
use ttrpc_interop::{decode, encode, EchoRequest, EchoResponse, SERVICE};

/// How soon an expired call must be over: far above any scheduling delay, far below the sleep asked for.
const PROMPTLY: Duration = Duration::from_secs(3);
const LONG_SLEEP_MILLIS: i64 = 60_000;

/// Says why it failed.
pub type Check = fn(&Client) -> Result<(), String>;

pub const CHECKS: [(&str, Check); 9] = [
    ("text and payload come back", check_echo),
    (
        "an error keeps its code and message, for all sixteen codes",
        check_fail,
    ),
    ("an empty reply is a success", check_empty),
    ("metadata arrives, repeated keys in order", check_metadata),
    (
        "the client's deadline ends the call, and the connection lives on",
        check_deadline,
    ),
    (
        "a negative timeout is DEADLINE_EXCEEDED at once",
        check_negative_timeout,
    ),
    ("1 MiB goes both ways unchanged", check_payload),
    (
        "64 concurrent calls run side by side and each gets its own answer",
        check_concurrent,
    ),
    (
        "2000 calls one after another on one connection",
        check_sequential,
    ),
];

fn check_echo(client: &Client) -> Result<(), String> {
    for text in ["", "plain", "Grüße, 東京 🗼"] {
        expect_echo(client, text, &[0, 1, 0xfe, 0xff])?;
    }
    Ok(())
}

fn check_fail(client: &Client) -> Result<(), String> {
    for code in 1..=16 {
        let mut message = EchoRequest::new();
        message.set_fail_code(code);
        message.set_fail_message(format!("code {}, naïve “quotes”", code));
        match call(client, request("Fail", &message)?) {
            Err(Error::RpcStatus(status))
                if status.get_code().value() == code && status.message == message.fail_message => {}
            other => return Err(format!("asked for code {}, got {:?}", code, other)),
        }
    }
    Ok(())
}

fn check_empty(client: &Client) -> Result<(), String> {
    let mut message = EchoRequest::new();
    message.set_text("ignored".to_string());
    match call(client, request("Empty", &message)?) {
        Ok(response) if response == EchoResponse::new() => Ok(()),
        other => Err(format!("got {:?}", other)),
    }
}

fn check_metadata(client: &Client) -> Result<(), String> {
    let pairs = [
        "agent=billing",
        "city=Zürich=CH",
        "empty=",
        "trace=b",
        "trace=a",
        "trace=c",
    ];
    let mut echo = request("Echo", &EchoRequest::new())?;
    for pair in pairs {
        let mut entry = KeyValue::new();
        let (key, value) = pair.split_once('=').ok_or("a pair without =")?;
        entry.set_key(key.to_string());
        entry.set_value(value.to_string());
        echo.mut_metadata().push(entry);
    }
    let mut got = call(client, echo)
        .map_err(|error| error.to_string())?
        .take_metadata()
        .into_vec();
    // Keys may come in any order, values of one key may not: a stable sort by key alone keeps the latter visible.
    got.sort_by_key(|pair| pair.split('=').next().map(str::to_string));
    if got != pairs {
        return Err(format!("got {:?}, want {:?}", got, pairs));
    }
    Ok(())
}

/// At a deadline this client's own timer and the server's answer race; either may win.
fn check_deadline(client: &Client) -> Result<(), String> {
    match sleep(client, Duration::from_millis(100).as_nanos() as i64)? {
        Error::RpcStatus(status) if status.get_code() == Code::DEADLINE_EXCEEDED => {}
        Error::Others(text) if text.contains("timed out") => {}
        other => return Err(format!("got {:?}", other)),
    }
    expect_echo(client, "after a deadline", &[])
}

/// This client takes a negative timeout for centuries, so it is the server that must end the call.
fn check_negative_timeout(client: &Client) -> Result<(), String> {
    match sleep(client, -1)? {
        Error::RpcStatus(status) if status.get_code() == Code::DEADLINE_EXCEEDED => Ok(()),
        other => Err(format!("got {:?}", other)),
    }
}

/// The error that a far too long sleep ends with, which must come promptly.
fn sleep(client: &Client, timeout_nano: i64) -> Result<Error, String> {
    let mut message = EchoRequest::new();
    message.set_sleep_millis(LONG_SLEEP_MILLIS);
    let mut sleep = request("Sleep", &message)?;
    sleep.set_timeout_nano(timeout_nano);
    let start = Instant::now();
    let result = call(client, sleep);
    if start.elapsed() > PROMPTLY {
        return Err(format!("took {:?}", start.elapsed()));
    }
    result.err().ok_or_else(|| "the call succeeded".to_string())
}

fn check_payload(client: &Client) -> Result<(), String> {
    // The period is no power of two, so that a lost or doubled block shows.
    let payload: Vec<u8> = (0..1 << 20).map(|index| (index % 251) as u8).collect();
    expect_echo(client, "1 MiB", &payload)
}

fn check_concurrent(client: &Client) -> Result<(), String> {
    let start = Instant::now();
    let calls: Vec<_> = (0..64)
        .map(|index| {
            let client = client.clone();
            thread::spawn(move || sleep_and_compare(&client, index))
        })
        .collect();
    for call in calls {
        call.join().map_err(|_| "a caller panicked")??;
    }
    // One after another they would sleep more than 9 s.
    if start.elapsed() > PROMPTLY {
        return Err(format!("took {:?}", start.elapsed()));
    }
    Ok(())
}

/// Sleeps differ by index so that answers come in another order than the calls.
fn sleep_and_compare(client: &Client, index: i64) -> Result<(), String> {
    let mut message = EchoRequest::new();
    message.set_text(format!("call {}", index));
    message.set_sleep_millis(100 + index * 37 % 100);
    match call(client, request("Sleep", &message)?) {
        Ok(response) if response.text == message.text => Ok(()),
        other => Err(format!("{:?} got {:?}", message.text, other)),
    }
}

fn check_sequential(client: &Client) -> Result<(), String> {
    (0..2000).try_for_each(|index| expect_echo(client, &format!("call {}", index), &[]))
}

fn expect_echo(client: &Client, text: &str, payload: &[u8]) -> Result<(), String> {
    let mut message = EchoRequest::new();
    message.set_text(text.to_string());
    message.set_payload(payload.to_vec());
    let response = call(client, request("Echo", &message)?).map_err(|error| error.to_string())?;
    if response.text != text || response.payload != payload {
        return Err(format!(
            "{:?} and {} bytes came back changed",
            text,
            payload.len()
        ));
    }
    Ok(())
}

fn request(method: &str, message: &EchoRequest) -> Result<Request, String> {
    let mut request = Request::new();
    request.set_service(SERVICE.to_string());
    request.set_method(method.to_string());
    request.set_payload(encode(message).map_err(|error| error.to_string())?);
    Ok(request)
}

fn call(client: &Client, request: Request) -> ttrpc::Result<EchoResponse> {
    decode(&client.request(request)?.payload)
}
