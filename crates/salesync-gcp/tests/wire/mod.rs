//! Requests as they come over a socket.

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Reads a whole request, and asks in it for a connection that ends with the answer.
pub(crate) async fn read_request(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 65_536];
    let head = loop {
        let count = socket.read(&mut piece).await.ok().filter(|it| *it > 0)?;
        bytes.extend_from_slice(&piece[..count]);
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let lines = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = lines
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0_usize);
    while bytes.len() < head + length {
        let count = socket.read(&mut piece).await.ok().filter(|it| *it > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    }
    bytes.splice(head - 2..head - 2, *b"connection: close\r\n");
    Some(bytes)
}
