//! Servers on loopback that speak HTTP badly on purpose: they hang, drip, never end, or answer with what is none.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Connections stand, and nothing is ever said.
    Silent,
    /// A byte of the head every few milliseconds.
    DripHead,
    /// A byte of the body every few milliseconds.
    DripBody,
    /// Half an answer, and no more of it.
    Stop,
    /// Half an answer, and the connection ends.
    BreakOff,
    /// A head that never ends.
    EndlessHead,
    /// A body that never ends.
    EndlessBody,
    /// No HTTP.
    Noise,
    /// This body, under this status, with these further lines of the head.
    Says(u16, &'static str, Vec<u8>),
}

impl Manner {
    /// All that need no body.
    pub const ALL: [Self; 8] = [
        Self::Silent,
        Self::DripHead,
        Self::DripBody,
        Self::Stop,
        Self::BreakOff,
        Self::EndlessHead,
        Self::EndlessBody,
        Self::Noise,
    ];
}

/// See the module. It ends with the test's runtime.
#[derive(Debug, Clone, Copy)]
pub struct HostileServer(SocketAddr);

impl HostileServer {
    /// Starts on a free port.
    ///
    /// # Panics
    /// No port can be had.
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = manner.clone();
                // Whoever is treated like this hangs up at some point; that is no fault of the test's.
                tokio::spawn(async move {
                    let _ = treat(stream, manner).await;
                });
            }
        });
        Self(address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.0)
    }
}

async fn treat(mut stream: TcpStream, manner: Manner) -> std::io::Result<()> {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n";
    // Requests are small: one read is the whole of them, or enough.
    let mut request = vec![0; 1 << 16];
    if stream.read(&mut request).await? == 0 {
        return Ok(());
    }
    match manner {
        Manner::Silent => std::future::pending().await,
        Manner::DripHead => drip(&mut stream, "HTTP/1.1 200 OK\r\nx-drip: ").await,
        Manner::DripBody => drip(&mut stream, HEAD).await,
        Manner::Stop => {
            stream.write_all(format!("{HEAD}{{\"data\": [").as_bytes()).await?;
            std::future::pending().await
        }
        Manner::BreakOff => stream.write_all(format!("{HEAD}{{\"data\": [").as_bytes()).await,
        Manner::EndlessHead => flood(&mut stream, "HTTP/1.1 200 OK\r\n", b"x-more: and more\r\n").await,
        Manner::EndlessBody => {
            flood(&mut stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"8\r\n[0,0,0,0\r\n").await
        }
        Manner::Noise => stream.write_all(&[0x16, 0x03, 0x01, 0xff, 0xfe, b'\r', b'\n', b'\r', b'\n']).await,
        Manner::Says(status, more, body) => {
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{more}\r\n", body.len());
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
            // A request may follow on the same connection; it hears nothing.
            std::future::pending().await
        }
    }
}

async fn drip(stream: &mut TcpStream, begin: &str) -> std::io::Result<()> {
    stream.write_all(begin.as_bytes()).await?;
    loop {
        stream.write_all(b" ").await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn flood(stream: &mut TcpStream, begin: &str, more: &[u8]) -> std::io::Result<()> {
    stream.write_all(begin.as_bytes()).await?;
    let much = more.repeat(4_096);
    loop {
        stream.write_all(&much).await?;
    }
}
