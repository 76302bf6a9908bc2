//! Messages as they were sent.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use salesync_core::error::Code;

use crate::mail::{Mail, Repair, from_raw};

fn decode(message: &str) -> Mail {
    from_raw(&URL_SAFE_NO_PAD.encode(message)).unwrap()
}

/// The attachments' places, types and names.
fn attachments(mail: &Mail) -> Vec<(&str, &str, Option<&str>, u64)> {
    let attachments = mail.attachments.iter();
    attachments
        .map(|it| {
            (
                it.part_id.as_str(),
                it.mime_type.as_str(),
                it.filename.as_deref(),
                it.size_bytes,
            )
        })
        .collect()
}

const NESTED: &str = "From: Maria <maria@acme.example>\n\
    Content-Type: multipart/mixed; boundary=\"outer\"\n\
    \n\
    This is for programs that know no parts.\n\
    --outer\n\
    Content-Type: multipart/alternative; boundary=outer-1\n\
    \n\
    --outer-1\n\
    Content-Type: text/plain; charset=utf-8\n\
    Content-Transfer-Encoding: quoted-printable\n\
    \n\
    Gr=C3=BC=C3=9Fe=\n\
    !\n\
    --outer-1\n\
    Content-Type: text/html\n\
    \n\
    <p>Gr&uuml;&szlig;e!\n\
    --outer-1--\n\
    --outer\n\
    Content-Type: application/pdf; name*=utf-8''Preis%20%E2%82%AC.pdf\n\
    Content-Transfer-Encoding: base64\n\
    Content-Disposition: attachment\n\
    \n\
    aGVs\n\
    bG8=\n\
    --outer\n\
    Content-Type: message/rfc822\n\
    \n\
    Subject: inside\n\
    \n\
    text inside\n\
    --outer--\n\
    after the end\n";

#[test]
fn parts_have_the_places_that_the_service_gives_them() {
    for message in [NESTED.to_owned(), NESTED.replace('\n', "\r\n")] {
        let mail = decode(&message);
        assert_eq!(mail.body.as_ref().unwrap().text, "Grüße!");
        let inside = u64::try_from("Subject: inside\n\ntext inside".len()).unwrap();
        let inside = inside + if message.contains('\r') { 2 } else { 0 };
        let expected = [
            ("1", "application/pdf", Some("Preis €.pdf"), 5),
            ("2", "message/rfc822", None, inside),
        ];
        assert_eq!(attachments(&mail), expected);
        assert_eq!(mail.subject, None);
        assert!(mail.repairs.iter().next().is_none());
    }
}

#[test]
fn what_is_cut_off_is_read_as_far_as_it_goes() {
    for end in 0..NESTED.len() {
        decode(NESTED.get(..end).unwrap());
    }
    let cut = NESTED.split("--outer-1--").next().unwrap();
    assert_eq!(decode(cut).body.unwrap().text, "Grüße!");
}

#[test]
fn headers_end_where_a_line_is_none() {
    for (message, subject, text) in [
        ("Subject: a\n\nb", Some("a"), Some("b")),
        ("Subject: a\r\rb", Some("a"), Some("b")),
        ("Subject : a\n\nb", Some("a"), Some("b")),
        ("Subject:\n a\n\tc\n\nb", Some("a c"), Some("b")),
        (" lost\nSubject: a\n\nb", Some("a"), Some("b")),
        (
            "From maria Fri Nov 21\nSubject: a\n\nb",
            Some("a"),
            Some("b"),
        ),
        (
            "Subject: a\nno header\n\nb",
            Some("a"),
            Some("no header\n\nb"),
        ),
        ("Subject: a", Some("a"), None),
        ("\nSubject: a", None, Some("Subject: a")),
        ("no header", None, Some("no header")),
        ("Subject: a\n", Some("a"), None),
    ] {
        let mail = decode(message);
        assert_eq!(mail.subject.as_deref(), subject, "{message}");
        assert_eq!(
            mail.body.map(|body| body.text).as_deref(),
            text,
            "{message}"
        );
    }
}

#[test]
fn bytes_without_a_charset_are_utf_8_or_windows_1252() {
    for (bytes, subject) in [
        (&b"Subject: Gr\xc3\xbc\xc3\x9fe\n\n"[..], "Grüße"),
        (b"Subject: Gr\xfc\xdfe\n\n", "Grüße"),
    ] {
        let mail = from_raw(&URL_SAFE_NO_PAD.encode(bytes)).unwrap();
        assert_eq!(mail.subject.as_deref(), Some(subject));
    }
}

#[test]
fn parts_that_are_too_deep_are_left_out() {
    let mut message = String::new();
    for level in 0..70 {
        message.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
        ));
    }
    message.push_str("Content-Type: text/plain\n\ndeep");
    let mail = decode(&message);
    assert_eq!(mail.body, None);
    assert_eq!(
        mail.repairs.iter().collect::<Vec<_>>(),
        [Repair::PartsLeftOut]
    );
}

#[test]
fn what_is_no_base64_is_rejected_and_nothing_is_an_empty_message() {
    let reject = from_raw("?").unwrap_err();
    assert_eq!(reject.code, Code::RecordMalformed);
    assert_eq!(reject.field.as_deref(), Some("raw"));
    assert_eq!(from_raw("").unwrap(), Mail::default());
}
