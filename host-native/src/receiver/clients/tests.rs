use std::fs;
use std::time::Duration;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;
use crate::receiver::auth_file::{add_password, add_token};

/// An auth file in a folder of its own.
struct File {
    dir: TempDir,
}

impl File {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("senders")
    }

    fn clients(&self) -> Clients {
        Clients::start(Some(&self.path())).unwrap()
    }
}

fn headers(values: &[&str]) -> HeaderMap {
    values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
}

fn bearer(token: &str) -> HeaderMap {
    headers(&[&format!("Bearer {token}")])
}

fn basic(pair: &str) -> HeaderMap {
    headers(&[&format!("Basic {}", STANDARD.encode(pair))])
}

async fn is_welcome(clients: &Clients, headers: &HeaderMap) -> bool {
    match clients.check(headers).await {
        Ok(()) => true,
        Err(Refusal::Unauthenticated(_)) => false,
        Err(refusal) => panic!("expected to be asked for credentials: {refusal}"),
    }
}

#[tokio::test]
async fn given_no_file_then_everybody_may_send() {
    assert!(is_welcome(&Clients::default(), &HeaderMap::new()).await);
}

#[tokio::test]
async fn given_a_token_then_only_senders_with_it_may_send() {
    let file = File::new();
    let first = add_token(&file.path(), "team-a").unwrap();
    let second = add_token(&file.path(), "team-a").unwrap();
    let clients = file.clients();
    for token in [&first, &second] {
        let token = token.expose_secret();
        assert!(is_welcome(&clients, &bearer(token)).await);
        assert!(is_welcome(&clients, &headers(&[&format!("bearer  {token} ")])).await);
        assert!(!is_welcome(&clients, &bearer(&token[1..])).await);
        assert!(!is_welcome(&clients, &headers(&[token])).await);
        assert!(!is_welcome(&clients, &headers(&[&format!("Basic {token}")])).await);
        assert!(!is_welcome(&clients, &headers(&[&format!("Bearer {token}"), "Bearer x"])).await);
    }
    let written = fs::read_to_string(file.path()).unwrap();
    let hash = written.lines().next().and_then(|line| line.rsplit(':').next()).unwrap();
    assert!(!is_welcome(&clients, &bearer(hash)).await, "the hash is not the token");
    assert!(!is_welcome(&clients, &HeaderMap::new()).await);
    assert!(!is_welcome(&clients, &bearer("")).await);
}

#[tokio::test]
async fn given_a_password_then_the_name_and_the_password_are_needed_first_and_when_they_are_remembered() {
    let file = File::new();
    let password = add_password(&file.path(), "ada").unwrap();
    let other = add_password(&file.path(), "grace").unwrap();
    let clients = file.clients();
    let (password, other) = (password.expose_secret(), other.expose_secret());
    for _first_then_remembered in 0..2 {
        assert!(is_welcome(&clients, &basic(&format!("ada:{password}"))).await);
        assert!(!is_welcome(&clients, &basic(&format!("ada:{other}"))).await);
        assert!(!is_welcome(&clients, &basic(&format!("grace:{password}"))).await);
        assert!(!is_welcome(&clients, &basic(&format!("nobody:{password}"))).await);
        assert!(!is_welcome(&clients, &basic(&format!("ada:{password}x"))).await);
        assert!(!is_welcome(&clients, &basic("ada:")).await);
        assert!(!is_welcome(&clients, &basic("ada")).await);
        assert!(!is_welcome(&clients, &headers(&["Basic ???"])).await);
    }
}

#[tokio::test]
async fn given_a_line_of_htpasswd_then_its_password_is_taken() {
    // htpasswd -nbB -C 5 ada 'open sesame'
    let file = File::new();
    let hash = bcrypt::hash_with_result("open sesame", 5).unwrap().format_for_version(bcrypt::Version::TwoY);
    fs::write(file.path(), format!("# the team\n\nada:{hash}\n")).unwrap();
    let clients = file.clients();
    assert!(is_welcome(&clients, &basic("ada:open sesame")).await);
    assert!(!is_welcome(&clients, &basic("ada:open")).await);
}

#[tokio::test]
async fn given_wrong_passwords_without_end_then_most_are_refused_at_once_and_who_was_known_is_served() {
    let file = File::new();
    let password = add_password(&file.path(), "ada").unwrap();
    let clients = file.clients();
    let right = basic(&format!("ada:{}", password.expose_secret()));
    assert!(is_welcome(&clients, &right).await);
    let attempts: Vec<_> = (0..200)
        .map(|number| {
            let clients = clients.clone();
            tokio::spawn(async move { clients.check(&basic(&format!("ada:wrong{number}"))).await.unwrap_err() })
        })
        .collect();
    tokio::task::yield_now().await;
    assert!(is_welcome(&clients, &right).await);
    let mut busy = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Refusal::Busy => busy += 1,
            Refusal::Unauthenticated(_) => {}
            refusal => panic!("{refusal}"),
        }
    }
    assert!(busy > 0, "everybody was waited for");
}

#[tokio::test]
async fn given_a_line_that_goes_then_its_token_is_refused_without_a_restart() {
    let file = File::new();
    let old = add_token(&file.path(), "team-a").unwrap();
    let clients = file.clients();
    assert!(is_welcome(&clients, &bearer(old.expose_secret())).await);
    fs::write(file.path(), "").unwrap();
    let new = add_token(&file.path(), "team-b").unwrap();
    let changed = async {
        while !is_welcome(&clients, &bearer(new.expose_secret())).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), changed).await.is_ok(), "the new token is never taken");
    assert!(!is_welcome(&clients, &bearer(old.expose_secret())).await);
}

#[test]
fn given_a_line_without_meaning_then_the_error_names_it_and_shows_nothing_of_it() {
    let file = File::new();
    let hash = "0".repeat(64);
    for (line, expected) in [
        ("s3cret", "NAME:sha256:"),
        ("ada:s3cret", "htpasswd -B"),
        ("ada:{SHA}s3cret", "htpasswd -B"),
        ("ada:$apr1$s3cret$s3cret", "htpasswd -B"),
        ("ada:sha256:s3cret", "64 hexadecimal"),
        ("a d a:sha256:0", "name"),
        (":sha256:0", "name"),
        ("ada:$2y$31$0123456789012345678901uJ1JxRCZyVbHBvIZGjG5ZJ6jZ6Q8fNO", "seconds"),
    ] {
        fs::write(file.path(), format!("team:sha256:{hash}\n{line}\n")).unwrap();
        let said = file::read(&file.path()).unwrap_err().to_string();
        assert!(said.contains("line 2") && said.contains(expected), "{line}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    let twice = format!("ada:{0}\nada:{0}\n", bcrypt::hash("x", 4).unwrap());
    fs::write(file.path(), twice).unwrap();
    assert!(file::read(&file.path()).unwrap_err().to_string().contains("line 2"));
}

#[test]
fn given_a_missing_file_then_the_error_says_how_to_make_it() {
    let said = Clients::start(Some(Path::new("/nowhere/senders"))).unwrap_err().to_string();
    assert!(said.contains("/nowhere/senders") && said.contains("auth add"), "{said}");
}

#[test]
fn given_what_is_added_then_the_file_has_hashes_and_only_its_owner_can_read_it() {
    let file = File::new();
    fs::write(file.path(), "# kept").unwrap();
    let token = add_token(&file.path(), "team-a").unwrap();
    let password = add_password(&file.path(), "ada").unwrap();
    let written = fs::read_to_string(file.path()).unwrap();
    assert!(written.starts_with("# kept\nteam-a:sha256:") && written.contains("\nada:$2b$10$"), "{written}");
    for secret in [token.expose_secret(), password.expose_secret()] {
        assert!(secret.len() >= 43 && !written.contains(secret));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(matches!(add_password(&file.path(), "ada"), Err(AuthFileError::Twice(name)) if name == "ada"));
    assert!(matches!(add_token(&file.path(), "a:b"), Err(AuthFileError::Name(_))));
    assert_eq!(fs::read_to_string(file.path()).unwrap(), written);
}

#[test]
fn given_what_the_file_says_then_debug_output_has_no_hash() {
    let file = File::new();
    add_token(&file.path(), "team-a").unwrap();
    add_password(&file.path(), "ada").unwrap();
    let entries = file::read(&file.path()).unwrap();
    let shown = format!("{entries:?} {:?}", Known::new(file::read(&file.path()).unwrap(), [7; 32]));
    for line in fs::read_to_string(file.path()).unwrap().lines() {
        let hash = line.rsplit(':').next().unwrap();
        assert!(!shown.contains(hash), "{shown}");
    }
}
