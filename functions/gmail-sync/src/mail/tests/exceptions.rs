//! Where Python's package says something else of a real message than we do, and why.

/// A field of one message.
pub(super) struct Exception {
    pub(super) file: &'static str,
    pub(super) field: &'static str,
    /// What we say, as JSON.
    pub(super) ours: &'static str,
    pub(super) holds: Holds,
}

/// For which of the two shapes of the message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// For both.
    Both,
    /// For the text that was sent. The tree is made by Python's package, which has lost there what we find.
    Raw,
}

const fn both(file: &'static str, field: &'static str, ours: &'static str) -> Exception {
    Exception {
        file,
        field,
        ours,
        holds: Holds::Both,
    }
}

const fn raw(file: &'static str, field: &'static str, ours: &'static str) -> Exception {
    Exception {
        file,
        field,
        ours,
        holds: Holds::Raw,
    }
}

pub(super) const EXCEPTIONS: &[Exception] = &[
    // An encoded word that is no quoted text (RFC 2047, 5, forbids it): the package drops such a name whole.
    both(
        "ruby-mail/attachment_emails__attachment_with_base64_encoded_name.eml",
        "attachments",
        r#"[{"filename":"This is a test.pdf","mime_type":"application/pdf","size_bytes":399}]"#,
    ),
    // A name with spaces and without quotes (RFC 2045, 5.1, wants them): the package keeps its first word.
    raw(
        "ruby-mail/attachment_emails__attachment_with_unquoted_name.eml",
        "attachments",
        r#"[{"filename":"This is a test.txt","mime_type":"text/plain","size_bytes":11}]"#,
    ),
    // White space between encoded words is no part of the name (RFC 2047, 6.2), which the package forgets
    // in names.
    both(
        "ruby-mail/error_emails__bad_subject.eml",
        "from",
        r#"[{"address":"carol@mysurvey.com","group":null,"name":"MySurvey.com & Carol Adams"}]"#,
    ),
    // A word without an at sign is no address (RFC 5322, 3.4.1); we keep it as a name.
    both(
        "ruby-mail/error_emails__content_transfer_encoding_empty.eml",
        "bcc",
        r#"[{"address":null,"group":null,"name":"Array"}]"#,
    ),
    both(
        "stalwart-rfc/001.eml",
        "from",
        r#"[{"address":null,"group":null,"name":"Whomever"}]"#,
    ),
    both(
        "stalwart-rfc/001.eml",
        "to",
        r#"[{"address":null,"group":null,"name":"Someone"}]"#,
    ),
    both(
        "stalwart-rfc/004.eml",
        "from",
        r#"[{"address":null,"group":null,"name":"Moderator-Address"}]"#,
    ),
    both(
        "stalwart-rfc/004.eml",
        "to",
        r#"[{"address":null,"group":null,"name":"Recipient-List"}]"#,
    ),
    // Bytes that are no UTF-8 and name no charset are windows-1252 to us, as in a text; the package loses them.
    both(
        "ruby-mail/error_emails__invalid_subject_characters.eml",
        "subject",
        r#""Formação FrenetikPolis: Mega Campanha Final Verão | Cursos de Setembro""#,
    ),
    // `<Undisclosed-Recipient:@mailman.enron.com;>` is an empty group that a gateway took for an address.
    both("ruby-mail/error_emails__missing_body.eml", "to", "[]"),
    // A boundary with an equals sign and without quotes (RFC 2045, 5.1, wants them): the package finds none,
    // and so no parts.
    raw(
        "ruby-mail/mime_emails__raw_email_with_binary_encoded.eml",
        "attachments",
        r#"[{"filename":"2013-08-13_19-08-28-1.jpg","mime_type":"image/jpeg","size_bytes":24}]"#,
    ),
    raw(
        "ruby-mail/mime_emails__raw_email_with_illegal_boundary.eml",
        "body",
        r#"{"kind":"text/plain","text":"HelloThisisanoutlooktestSothere.Me."}"#,
    ),
    raw(
        "ruby-mail/plain_emails__raw_email_bad_time.eml",
        "body",
        r#"{"kind":"text/plain","text":"Filter2:ThismessagehasbeenscannedforvirusesanddangerouscontentbyMailScanner,andisbelievedtobeclean."}"#,
    ),
    // The one name that an address without brackets has is the comment behind it (RFC 5322, 3.4, the note).
    both(
        "ruby-mail/multipart_report_emails__multi_address_bounce1.eml",
        "from",
        r#"[{"address":"MAILER-DAEMON@lvmail01.LL.com","group":null,"name":"Mail Delivery System"}]"#,
    ),
    both(
        "ruby-mail/multipart_report_emails__multi_address_bounce2.eml",
        "from",
        r#"[{"address":"MAILER-DAEMON@lvmail01.LL.com","group":null,"name":"Mail Delivery System"}]"#,
    ),
    // A name and an address without brackets (RFC 5322, 3.4, wants them): the package makes one address of both.
    both(
        "ruby-mail/plain_emails__mix_caps_content_type.eml",
        "from",
        r#"[{"address":"bb@bug.com","group":null,"name":"Big Bug"}]"#,
    ),
    // Two at signs in a Message-ID (RFC 5322, 3.6.4, has one): the package cuts it, we keep what is in the
    // brackets, as those who answer do.
    both(
        "ruby-mail/plain_emails__raw_email_double_at_in_header.eml",
        "message_id",
        r#""d3b8cf8e49f0448085@0c28713a1@f473e@37signals.com""#,
    ),
    // Two addresses without a comma (RFC 5322, 3.4, wants one): the package loses the second.
    both(
        "ruby-mail/plain_emails__raw_email_multiple_from.eml",
        "from",
        TIM_AND_CONCIERGE,
    ),
    both(
        "ruby-mail/plain_emails__raw_email_multiple_from.eml",
        "reply-to",
        TIM_AND_CONCIERGE,
    ),
    both(
        "ruby-mail/plain_emails__raw_email_multiple_from.eml",
        "to",
        TIM_AND_CONCIERGE,
    ),
    // A name with an at sign and without quotes (RFC 5322, 3.4, wants them): the package takes it for the
    // address and loses the address.
    both(
        "ruby-mail/plain_emails__raw_email_with_at_display_name.eml",
        "to",
        r#"[{"address":"smith@gmail.com","group":null,"name":null},
            {"address":"raasdnil@gmail.com","group":null,"name":"Mikel@Lindsaar"},
            {"address":"tom@gmail.com","group":null,"name":null}]"#,
    ),
    // White space in front of a header's colon (RFC 5322, 4.5: readers must accept it): the package takes such
    // a line for the end of the headers, and a first line `From  : ` for a mailbox's mark.
    raw(
        "ruby-mail/rfc2822__example13.eml",
        "from",
        r#"[{"address":"jdoe@machine.example","group":null,"name":"John Doe"}]"#,
    ),
    raw(
        "ruby-mail/rfc2822__example13.eml",
        "to",
        r#"[{"address":null,"group":null,"name":"Mary Smith"}]"#,
    ),
    raw(
        "ruby-mail/rfc2822__example13.eml",
        "body",
        r#"{"kind":"text/plain","text":"__<mary@example.net>Subject:SayingHelloDate:Fri,21Nov199709(comment):55:06-0600Message-ID:<1234@local(blah).machine.example>Thisisamessagejusttosayhello.So,\"Hello\"."}"#,
    ),
    raw(
        "stalwart-malformed/019.eml",
        "subject",
        r#""Sprint 3 multipart fixture""#,
    ),
    raw(
        "stalwart-malformed/019.eml",
        "message_id",
        r#""multi-001@example.test""#,
    ),
    raw("stalwart-malformed/019.eml", "date", "1775556000"),
    raw(
        "stalwart-malformed/019.eml",
        "to",
        r#"[{"address":"rimap-test@example.test","group":null,"name":"rimap-test"}]"#,
    ),
    raw(
        "stalwart-malformed/019.eml",
        "body",
        r#"{"kind":"text/plain","text":"JPlaintextbodyofthemultipartfixture."}"#,
    ),
];

const TIM_AND_CONCIERGE: &str = r#"[{"address":"tim@powerupdev.com","group":null,"name":null},
    {"address":"concierge@powerupdev.com","group":null,"name":null}]"#;
