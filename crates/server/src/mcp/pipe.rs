//! Over standard input and output, or whatever a caller reads and writes.

use rmcp::serve_server;
use rmcp::service::QuitReason;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

use super::assistant::Assistant;

/// Why serving ended before its client ended it.
#[derive(Debug, Error)]
pub enum PipeError {
    /// What came was not the protocol.
    #[error("the client does not speak the Model Context Protocol: {0}")]
    Handshake(String),
    /// A part of the server failed.
    #[error("serving broke off: {0}")]
    Broken(String),
}

/// Serves one client, until it ends what it sends.
///
/// # Errors
/// See [`PipeError`]. A client that goes before it said anything is none.
pub async fn serve_pipe<R, W>(assistant: Assistant, input: R, output: W) -> Result<(), PipeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    use rmcp::service::ServerInitializeError as Unready;
    let running = match serve_server(assistant, (input, output)).await {
        Ok(running) => running,
        Err(Unready::ConnectionClosed(_) | Unready::Cancelled) => return Ok(()),
        Err(error) => return Err(PipeError::Handshake(error.to_string())),
    };
    match running.waiting().await {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(PipeError::Broken(error.to_string())),
        Ok(_) => Ok(()),
    }
}
