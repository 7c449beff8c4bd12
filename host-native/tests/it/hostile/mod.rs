//! The program against clients that mean harm: whatever they do, its memory stays within what the README says, and the
//! others are served meanwhile.

mod bytes;
mod http2;
mod target;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::grpc_client::send_frame;
use crate::support::payload::{self, deflate, gzip, zstd_with_long_window};
use bytes::Garbage;
use target::Target;

/// How long a client that means harm waits for an answer before it goes on.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends bytes and listens until the other side hangs up; returns the beginning of what it said. A connection that
/// the program closes half-way has got its answer.
async fn throw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut answer = Vec::new();
    let said = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(bytes).await?;
        (&mut stream).take(64 << 10).read_to_end(&mut answer).await
    };
    let _ = timeout(PATIENCE, said).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Every attack is made so often, at once.
fn at_once<F: Future<Output = ()> + Send + 'static>(times: usize, attack: impl Fn(usize) -> F) -> JoinSet<()> {
    (0..times).map(attack).collect()
}

/// Others are served while it is attacked and after that, and it ends well.
async fn withstands(target: Target, attacks: JoinSet<()>) {
    target.serves_others().await;
    attacks.join_all().await;
    target.ends_well().await;
}

/// Throws each of these so often at both receivers, at once.
async fn withstands_bytes(target: Target, attacks: &[Vec<u8>], times: usize) {
    let addresses = target.addresses();
    let thrown = at_once(2 * attacks.len() * times, |number| {
        let (address, bytes) = (addresses[number % 2], attacks[number / 2 % attacks.len()].clone());
        async move { drop(throw(address, &bytes).await) }
    });
    withstands(target, thrown).await;
}

#[tokio::test]
async fn given_ten_thousand_connections_that_never_finish_a_request_then_others_are_served() {
    let wanted = target::files_for(10_000);
    let target = Target::start(&["--header-timeout=5s", "--max-connections=1000"]).await;
    let beginnings: [&[u8]; 4] =
        [b"", b"POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-slow: ", http2::PREFACE, b"POST /v1/traces HTTP/1.1\r\n"];
    let mut held = Vec::with_capacity(wanted);
    for number in 0..wanted {
        let mut stream = TcpStream::connect(target.addresses()[number % 2]).await.unwrap();
        // A connection that had to make room says so here.
        let _ = stream.write_all(beginnings[number / 2 % 4]).await;
        held.push(stream);
        if number % 2_500 == 2_499 {
            target.serves_others().await;
        }
    }
    for _slowly in 0..3 {
        for stream in &mut held {
            let _ = stream.try_write(b"x");
        }
        target.serves_others().await;
    }
    println!("{} connections", held.len());
    target.ends_well().await;
}

#[tokio::test]
async fn given_bombs_in_every_compression_then_others_are_served() {
    let target = Target::start(&[]).await;
    let zeros = vec![0; 64 << 20];
    let bombs = [("gzip", gzip(&zeros)), ("deflate", deflate(&zeros)), ("zstd", zstd_with_long_window(&zeros))];
    let mut attacks = JoinSet::new();
    for number in 0..60 {
        let (coding, bomb) = bombs[number % 3].clone();
        let (http, grpc, token) = (target.traces_url(), target.grpc_url(), target.bearer());
        attacks.spawn(async move {
            let answer = reqwest::Client::builder().tls_certs_only([]).build().unwrap().post(http);
            let answer = answer.header("content-type", "application/x-protobuf").header("content-encoding", coding);
            let answer = answer.header("authorization", &token).body(bomb.clone()).send().await;
            // 413 for the bomb, or 503 because of the others.
            assert!(answer.is_ok_and(|answer| [413, 503].contains(&answer.status().as_u16())), "{coding}");
            let length = u32::try_from(bomb.len()).unwrap().to_be_bytes();
            let frame = [&[1][..], &length, &bomb].concat();
            let headers = [("grpc-encoding", coding), ("authorization", &token)];
            assert_eq!(send_frame(&grpc, &headers, frame).await.code(), tonic::Code::ResourceExhausted, "{coding}");
        });
    }
    withstands(target, attacks).await;
}

#[tokio::test]
async fn given_heads_without_end_then_others_are_served() {
    let target = Target::start(&[]).await;
    let long = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(4 << 20));
    let many = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(100_000));
    let line = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(1 << 20));
    let chunk = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;{}\r\n",
        "a".repeat(1 << 20)
    );
    let attacks: Vec<Vec<u8>> = [long, many, line, chunk].into_iter().map(String::into_bytes).collect();
    let continued = [http2::headers_without_end(4 << 20), http2::many_large_headers(200)];
    let attacks: Vec<_> = attacks.into_iter().chain(continued).collect();
    withstands_bytes(target, &attacks, 5).await;
}

#[tokio::test]
async fn given_malformed_http_2_then_others_are_served() {
    let target = Target::start(&[]).await;
    withstands_bytes(target, &http2::attacks(), 2).await;
}

#[tokio::test]
async fn given_garbage_then_others_are_served() {
    let target = Target::start(&[]).await;
    let mut garbage = Garbage::new();
    let mut heaps: Vec<_> = (0..100).map(|_| garbage.bytes(10_000)).collect();
    heaps.extend((0..100).map(|_| [http2::PREFACE, &garbage.bytes(10_000)].concat()));
    withstands_bytes(target, &heaps, 1).await;
}

#[tokio::test]
async fn given_malformed_grpc_then_each_is_told_and_others_are_served() {
    let target = Target::start(&[]).await;
    let (grpc, token) = (target.grpc_url(), target.bearer());
    let frames: [(&str, Vec<u8>); 6] = [
        ("longer than anything", vec![0, 0xff, 0xff, 0xff, 0xff]),
        ("an unknown flag", vec![7, 0, 0, 0, 1, 0]),
        ("half a head", vec![0, 0]),
        ("shorter than it says", vec![0, 0, 0, 1, 0, 1, 2, 3]),
        ("compressed with nothing", vec![1, 0, 0, 0, 1, 0]),
        ("no protobuf", vec![0, 0, 0, 0, 3, 0xff, 0xff, 0xff]),
    ];
    for (what, frame) in frames {
        let status = send_frame(&grpc, &[("authorization", &token)], frame).await;
        let refused = [tonic::Code::InvalidArgument, tonic::Code::ResourceExhausted].contains(&status.code());
        assert!(refused, "{what}: {status:?}");
    }
    target.serves_others().await;
    target.ends_well().await;
}

#[tokio::test]
async fn given_no_or_wrong_credentials_then_large_bodies_are_not_read_and_others_are_served() {
    let target = Target::start(&[]).await;
    let guess = |number: usize| match number % 3 {
        0 => String::new(),
        1 => format!("authorization: Bearer guess{number}\r\n"),
        _ => format!("authorization: Basic {}\r\n", STANDARD.encode(format!("ada:guess{number}"))),
    };
    let addresses = target.addresses();
    let path = ["/v1/traces", crate::support::grpc_client::EXPORT];
    let thrown = at_once(300, |number| {
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 67108863\r\n{}\r\n",
            path[number % 2],
            guess(number)
        );
        let address = addresses[number % 2];
        async move {
            // The answer comes before the body, which follows all the same.
            let bytes = [head.as_bytes(), &vec![b'a'; 1 << 20]].concat();
            let answer = throw(address, &bytes).await;
            // Nobody knows him; or too many passwords are being checked; or he was cut off before he could listen.
            let refused = ["HTTP/1.1 401", "HTTP/1.1 503", "grpc-status: 16", "grpc-status: 8"];
            assert!(answer.is_empty() || refused.iter().any(|refused| answer.contains(refused)), "{answer}");
        }
    });
    withstands(target, thrown).await;
}

#[tokio::test]
async fn given_senders_that_let_their_bodies_trickle_then_others_are_served() {
    let target = Target::start(&["--max-requests=16", "--body-timeout=1s"]).await;
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\nauthorization: {}\r\n\
         content-length: 1000000\r\n\r\n",
        target.bearer()
    );
    let begun = format!("{head}{}", "a".repeat(900_000));
    let address = target.addresses()[0];
    let thrown = at_once(100, |_| {
        let begun = begun.clone();
        async move { drop(throw(address, begun.as_bytes()).await) }
    });
    withstands(target, thrown).await;
}

#[tokio::test]
async fn given_the_defaults_and_large_payloads_that_nobody_takes_then_memory_stays_within_its_bound() {
    const LARGE: usize = 24 << 20;
    let target = Target::with_defaults().await;
    let (http, grpc, token) = (target.traces_url(), target.grpc_url(), target.bearer());
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let sent = at_once(16, |number| {
        let (client, http, grpc, token) = (client.clone(), http.clone(), grpc.clone(), token.clone());
        let payload = payload::large_trace(u8::try_from(number + 1).unwrap(), LARGE);
        async move {
            // Taken, or asked to come again because of the others: 503, RESOURCE_EXHAUSTED.
            if number % 2 == 0 {
                let request = client.post(http).header("content-type", "application/x-protobuf");
                match request.header("authorization", token).body(payload).send().await {
                    Ok(answer) => assert!([200, 503].contains(&answer.status().as_u16()), "{answer:?}"),
                    // It was asked to come again, and hung up on, before it had said all.
                    Err(error) => assert!(error.is_request() && !error.is_connect(), "{error:?}"),
                }
            } else {
                let frame = [&[0][..], &u32::try_from(payload.len()).unwrap().to_be_bytes(), &payload].concat();
                let code = send_frame(&grpc, &[("authorization", &token)], frame).await.code();
                assert!([tonic::Code::Ok, tonic::Code::ResourceExhausted].contains(&code), "{code:?}");
            }
        }
    });
    sent.join_all().await;
    target.serves_others().await;
    target.stays_within_its_bound();
}
