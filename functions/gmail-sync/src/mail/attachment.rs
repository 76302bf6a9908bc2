//! What hangs on a message: what has a name, what its sender calls an attachment, what is no text, and whole
//! messages. What is inside of such a message hangs on that one.

use super::part::Part;
use super::{Attachment, field};

/// Returns the attachments of a message.
pub(super) fn of(root: &Part<'_>) -> Vec<Attachment> {
    let mut found = Vec::new();
    root.walk(&mut |part| {
        if is_attachment(part) {
            found.push(attachment(part));
        }
    });
    found
}

/// Says whether a part is an attachment.
fn is_attachment(part: &Part<'_>) -> bool {
    if part.mime_type.starts_with("multipart/") {
        return false;
    }
    part.filename.is_some()
        || part.is_declared_attachment()
        || part.mime_type == "message/rfc822"
        || !(part.mime_type.starts_with("text/") || part.is_message())
}

fn attachment(part: &Part<'_>) -> Attachment {
    let content_id = part.headers.first("Content-ID").map(field::ids);
    Attachment {
        part_id: part.id.clone(),
        filename: part.filename.clone(),
        mime_type: part.mime_type.clone(),
        size_bytes: part.content.size_bytes(),
        content_id: content_id.and_then(|ids| ids.into_iter().next()),
        disposition: part.disposition.clone(),
    }
}
