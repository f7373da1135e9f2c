//! A listener that answers every request alike and writes down how it came: over which proxy, with TLS, as whom. Two clients that read
//! the same kubeconfig are compared by what they send here.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;

use crate::real::parts::skip;

/// Answers a question for the version, and one for a namespace.
const ANSWER: &str = r#"{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"uid-1"},"major":"1","minor":"34","gitVersion":"v1.34.4"}"#;
/// No client that still lives is silent for so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// kubectl: that of KUBEBUILDER_ASSETS, else the one on the PATH. Where there is none the test is to return, and a line says why.
///
/// # Panics
/// There is none and this is CI (`CI=true`).
pub fn kubectl() -> Option<PathBuf> {
    let built = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = built.into_iter().chain(std::env::split_paths(&path));
    let found = folders.map(|folder| folder.join("kubectl")).find(|program| program.is_file());
    found.or_else(|| skip("there is no kubectl in KUBEBUILDER_ASSETS nor on the PATH"))
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `direct`, or the kind of proxy and where the request wanted to go.
    pub way: String,
    /// Whether it came in TLS.
    pub tls: bool,
    /// Path and query.
    pub path: String,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// Whether the client showed a certificate.
    pub certificate: bool,
    /// What it carried.
    pub body: Vec<u8>,
}

impl Asked {
    /// The values of a header, in their order.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// See the module. It listens on 127.0.0.1 until the process ends.
pub struct Recorder {
    seen: Arc<Mutex<Vec<Asked>>>,
    folder: TempDir,
    /// Port of plain HTTP.
    pub http: u16,
    /// Port of HTTPS.
    pub https: u16,
    /// Port of an HTTP proxy.
    pub proxy: u16,
    /// Port of an HTTP proxy that is itself reached with TLS.
    pub secure_proxy: u16,
    /// Port of a SOCKS5 proxy.
    pub socks: u16,
}

#[derive(Clone)]
struct Desk {
    seen: Arc<Mutex<Vec<Asked>>>,
    tls: Arc<ServerConfig>,
}

impl Recorder {
    /// Starts on free ports, with a certificate authority of its own.
    ///
    /// # Panics
    /// openssl is not on the PATH, or no port can be had.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        certificates(folder.path());
        let desk = Desk { seen: Arc::default(), tls: tls(folder.path()) };
        let http = listen(&desk, |desk, stream| desk.answer(stream, "direct", false, false));
        let https = listen(&desk, |desk, stream| desk.secure(stream, "direct"));
        let proxy = listen(&desk, |desk, stream| desk.proxy(stream, "http proxy"));
        let secure_proxy = listen(&desk, |desk, stream| {
            let stream =
                StreamOwned::new(ServerConnection::new(Arc::clone(&desk.tls)).map_err(io::Error::other)?, stream);
            desk.proxy(stream, "https proxy")
        });
        let socks = listen(&desk, Desk::socks);
        Self { seen: desk.seen, folder, http, https, proxy, secure_proxy, socks }
    }

    /// `ca.crt`, `other-ca.crt` (of nobody here), `client.crt` and `client.key`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What has been asked since the last time, in order.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn listen(desk: &Desk, serve: fn(&Desk, TcpStream) -> io::Result<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let desk = desk.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let desk = desk.clone();
            let _ = stream.set_read_timeout(Some(PATIENCE));
            // A client that hangs up is no fault here.
            std::thread::spawn(move || serve(&desk, stream));
        }
    });
    port
}

impl Desk {
    fn secure(&self, stream: impl Read + Write, way: &str) -> io::Result<()> {
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        let certificate = stream.conn.peer_certificates().is_some_and(|chain| !chain.is_empty());
        self.answer(stream, way, true, certificate)
    }

    fn answer(&self, mut stream: impl Read + Write, way: &str, tls: bool, certificate: bool) -> io::Result<()> {
        let head = head(&mut stream)?;
        let body = body(&head, &mut stream)?;
        self.record(&head, way, tls, certificate, body);
        reply(&mut stream)
    }

    fn record(&self, head: &str, way: &str, tls: bool, certificate: bool, body: Vec<u8>) {
        let mut lines = head.lines();
        let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let asked = Asked { way: way.to_owned(), tls, path, headers, certificate, body };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    }

    fn proxy(&self, mut stream: impl Read + Write, kind: &str) -> io::Result<()> {
        let head = head(&mut stream)?;
        let mut words = head.split(' ');
        let (method, to) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let who = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
        let who = who.map(|who| format!(" as {who}")).unwrap_or_default();
        if method == "CONNECT" {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            stream.flush()?;
            // The usual port need not be said in the other way.
            return self.tunnel(stream, &format!("{kind}{who} to {}", to.strip_suffix(":80").unwrap_or(to)));
        }
        // The other way of an HTTP proxy, which Go takes for servers without TLS.
        let place = to.split('/').nth(2).unwrap_or_default();
        let path = to.splitn(4, '/').nth(3).unwrap_or_default();
        let body = body(&head, &mut stream)?;
        self.record(&head.replacen(to, &format!("/{path}"), 1), &format!("{kind}{who} to {place}"), false, false, body);
        reply(&mut stream)
    }

    fn socks(&self, mut stream: TcpStream) -> io::Result<()> {
        let byte = |stream: &mut TcpStream| {
            let mut byte = [0];
            stream.read_exact(&mut byte).map(|()| byte[0])
        };
        byte(&mut stream)?;
        for _ in 0..byte(&mut stream)? {
            byte(&mut stream)?;
        }
        stream.write_all(&[5, 0])?;
        let mut start = [0; 4];
        stream.read_exact(&mut start)?;
        let mut to = String::new();
        match start[3] {
            1 => {
                let mut ip = [0; 4];
                stream.read_exact(&mut ip)?;
                let _ = write!(to, "{}", std::net::Ipv4Addr::from(ip));
            }
            3 => {
                let mut name = vec![0; byte(&mut stream)?.into()];
                stream.read_exact(&mut name)?;
                to.push_str(&String::from_utf8_lossy(&name));
            }
            _ => {
                let mut ip = [0; 16];
                stream.read_exact(&mut ip)?;
                let _ = write!(to, "[{}]", std::net::Ipv6Addr::from(ip));
            }
        }
        let mut port = [0; 2];
        stream.read_exact(&mut port)?;
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        self.tunnel(stream, &format!("socks5 proxy to {to}:{}", u16::from_be_bytes(port)))
    }

    /// The server behind a proxy is this one, whatever it was called.
    fn tunnel(&self, mut stream: impl Read + Write, way: &str) -> io::Result<()> {
        let mut first = [0];
        stream.read_exact(&mut first)?;
        let stream = Begun { first: Some(first[0]), stream };
        // The first byte of a TLS handshake.
        if first[0] == 0x16 { self.secure(stream, way) } else { self.answer(stream, way, false, false) }
    }
}

/// A stream whose first byte was read already.
struct Begun<S> {
    first: Option<u8>,
    stream: S,
}

impl<S: Read> Read for Begun<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.first.take(), buffer) {
            (Some(byte), [slot, ..]) => {
                *slot = byte;
                Ok(1)
            }
            (_, buffer) => self.stream.read(buffer),
        }
    }
}

impl<S: Write> Write for Begun<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn head(stream: &mut impl Read) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < 65_536 {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
        if !head[0].is_ascii_uppercase() {
            return Err(io::Error::other("TLS where plain HTTP is spoken"));
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn body(head: &str, stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let length =
        head.lines().find_map(|line| line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case("content-length")));
    let length: usize = length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length.min(65_536)];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn reply(stream: &mut impl Write) -> io::Result<()> {
    let length = ANSWER.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{ANSWER}"
    )?;
    stream.flush()
}

fn tls(folder: &Path) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let read = |name: &str| CertificateDer::from_pem_file(folder.join(name)).expect("a certificate of openssl");
    let mut roots = RootCertStore::empty();
    roots.add(read("ca.crt")).expect("a certificate of openssl");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .expect("a root");
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key of openssl");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the usual versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![read("server.crt")], key)
        .expect("key and certificate of openssl");
    Arc::new(config)
}

fn certificates(folder: &Path) {
    let openssl = |args: &str| {
        let made =
            Command::new("openssl").args(args.split(' ')).current_dir(folder).output().expect("openssl, on the PATH");
        assert!(made.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&made.stderr));
    };
    let names = "subjectAltName=DNS:localhost,DNS:lab.internal,IP:127.0.0.1\n";
    std::fs::write(folder.join("names"), names).expect("a file in a temporary folder");
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for ca in ["ca", "other-ca"] {
        openssl(&format!("req -x509 {new} -keyout {ca}.key -out {ca}.crt -days 2 -subj /CN={ca}"));
    }
    for leaf in ["server", "client"] {
        openssl(&format!("req {new} -keyout {leaf}.key -out {leaf}.csr -subj /CN={leaf}"));
        openssl(&format!(
            "x509 -req -in {leaf}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {leaf}.crt"
        ));
    }
}
