//! What this machine must have: readable settings, a folder to write to, ports to listen on, a translator that runs.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Instant;

use tokio::net::TcpListener;

use super::finding::{Finding, State};
use super::server::post_nothing;
use crate::bridge;
use crate::settings::{Credentials, Receive, Server, SettingsFile, TrackingUri, Trust};

pub(super) fn settings_file(file: &SettingsFile) -> Vec<Finding> {
    let Some(path) = file.path() else { return Vec::new() };
    let found = path.display().to_string();
    if file.holds_secrets() && others_may_read(path) {
        let advice = format!("keep it to yourself: chmod 600 {found}");
        return vec![Finding::warning(
            "settings file",
            format!("{found} holds secrets, and others may read it"),
            advice,
        )];
    }
    vec![Finding::ok("settings file", found)]
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_path: &Path) -> bool {
    false
}

pub(super) fn translator() -> Finding {
    let started = Instant::now();
    match bridge::load_translator() {
        Ok(_) => Finding::ok("translator", format!("starts in {:.1} s", started.elapsed().as_secs_f32())),
        Err(error) => Finding::broken(
            "translator",
            error.to_string(),
            "report this with your operating system and processor: the translator should run everywhere",
        ),
    }
}

pub(super) fn data_dir(data_dir: &Path) -> Finding {
    let shown = data_dir.display();
    match can_write(data_dir) {
        Ok(true) => Finding::ok("data folder", format!("{shown} can be written")),
        Ok(false) => Finding::ok("data folder", format!("{shown} will be created")),
        Err(error) => Finding::broken(
            "data folder",
            format!("{shown} cannot be written: {error}"),
            "give this user the right to write there, or name another folder with --data-dir",
        ),
    }
}

pub(super) fn local_folder(data_dir: &Path) -> Finding {
    Finding::ok(
        "destination",
        format!("{} (no tracking URI is set; --tracking-uri sends to MLflow)", data_dir.join("traces").display()),
    )
}

/// Whether the folder is there already, once it is clear that it, or the nearest folder above it, can be written.
fn can_write(folder: &Path) -> io::Result<bool> {
    match folder.metadata() {
        Ok(metadata) if metadata.is_dir() => tempfile::tempfile_in(folder).map(|_| true),
        Ok(_) => Err(ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
            can_write(above).map(|_| false)
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn ports(receive: &Receive) -> [Finding; 2] {
    let http = port("http port", receive.http_listen, "--http-listen", receive.http_listen).await;
    let grpc = port("grpc port", receive.grpc_listen, "--grpc-listen", receive.http_listen).await;
    [grpc, http]
}

/// `neighbour` is where OTLP/HTTP would be, which shows which program has the port.
async fn port(check: &'static str, address: SocketAddr, flag: &str, neighbour: SocketAddr) -> Finding {
    let error = match TcpListener::bind(address).await {
        Ok(_) => return Finding::ok(check, format!("{address} is free")),
        Err(error) => error,
    };
    let elsewhere = format!("listen elsewhere with {flag}");
    match error.kind() {
        ErrorKind::AddrInUse if receives_otlp(neighbour).await => Finding {
            check,
            state: State::Warning,
            found: format!("{address} is in use: an OTLP receiver runs there already"),
            advice: format!("nothing, if it is this program; if it is another collector, stop it or {elsewhere}"),
        },
        ErrorKind::AddrInUse => Finding::broken(
            check,
            format!("{address} is in use"),
            format!("stop the program that listens there, or {elsewhere}"),
        ),
        ErrorKind::PermissionDenied => {
            Finding::broken(check, format!("{address} needs rights that this user does not have"), elsewhere)
        }
        _ => Finding::broken(check, format!("{address} cannot be listened on: {error}"), elsewhere),
    }
}

/// OTLP/HTTP answers 200 to an export of nothing.
async fn receives_otlp(address: SocketAddr) -> bool {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let Ok((uri, _)) = TrackingUri::parse(&format!("http://{}", SocketAddr::new(ip, address.port()))) else {
        return false;
    };
    let server = Server { uri, credentials: Credentials::None, trust: Trust::default() };
    post_nothing(&server, Vec::new()).await.is_ok_and(|response| response.status == 200)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn receive(grpc: SocketAddr, http: SocketAddr) -> Receive {
        let (max_body_bytes, shutdown_timeout) = (1, Duration::ZERO);
        Receive { listen: true, grpc_listen: grpc, http_listen: http, max_body_bytes, shutdown_timeout }
    }

    #[test]
    fn given_a_folder_that_is_there_or_can_be_made_then_all_is_well_and_nothing_is_created() {
        let dir = tempfile::tempdir().unwrap();
        assert!(data_dir(dir.path()).found.contains("can be written"));
        let missing = dir.path().join("a/b");
        assert_eq!(data_dir(&missing).state, State::Ok);
        assert!(data_dir(&missing).found.contains("will be created"));
        assert!(!dir.path().join("a").exists());
    }

    #[test]
    fn given_a_file_where_the_folder_should_be_then_it_is_broken() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(data_dir(&file).state, State::Broken);
        assert_eq!(data_dir(&file.join("below")).state, State::Broken);
    }

    #[tokio::test]
    async fn given_a_port_that_somebody_else_has_then_it_is_broken_and_the_flag_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let free = "127.0.0.1:0".parse().unwrap();
        let [grpc, http] = ports(&receive(taken.local_addr().unwrap(), free)).await;
        assert_eq!((grpc.state, http.state), (State::Broken, State::Ok));
        assert!(grpc.advice.contains("--grpc-listen"), "{}", grpc.advice);
    }

    #[tokio::test]
    async fn given_an_otlp_receiver_on_the_ports_then_it_is_a_warning() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = axum::Router::new().route("/v1/traces", axum::routing::post(|| async {}));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        let [grpc, http] = ports(&receive(address, address)).await;
        server.abort();
        assert_eq!((grpc.state, http.state), (State::Warning, State::Warning));
    }

    #[cfg(unix)]
    #[test]
    fn given_a_settings_file_with_secrets_that_others_may_read_then_that_is_said() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        for (text, mode, expected) in [
            ("token = 'x'", 0o644, State::Warning),
            ("token = 'x'", 0o600, State::Ok),
            ("experiment = 'x'", 0o644, State::Ok),
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let file = SettingsFile::read(Some(&path)).unwrap();
            assert_eq!(settings_file(&file)[0].state, expected, "{text} {mode:o}");
        }
    }
}
