//! What invented messages say.

/// What conversations are about; a number is put behind.
pub(super) const TOPICS: &[&str] = &[
    "Offer",
    "Your quote",
    "Contract renewal",
    "Delivery dates for order",
    "Invoice",
    "Meeting on Thursday, room",
    "Angebot für Projekt",
    "Rückfrage zur Rechnung",
    "Größere Bestellung",
    "Proposition commerciale n°",
    "Réunion déjà fixée ?",
    "Presupuesto para el año",
    "Señalización, pedido",
    "Förslag och priser",
    "Zapytanie ofertowe",
    "Łączność z biurem",
    "見積書の件",
    "Next steps \u{2013} pilot",
    "Pricing \u{1F680} launch",
    "Support ticket",
    "Introduction",
    "Samples, colours & sizes",
    "Re-order",
    "Fwd: Specification",
    "Data processing agreement",
    "Kick-off",
];

/// What bulk mail is about; a number is put behind.
pub(super) const BULK_TOPICS: &[&str] = &[
    "Your weekly digest",
    "Product news, issue",
    "Receipt for payment",
    "Security alert: new sign-in",
    "Ihre Buchung",
    "Dernière chance \u{2013} offre",
    "Webinar invitation",
    "Release notes",
];

/// Sentences.
pub(super) const SENTENCES: &[&str] = &[
    "Thank you for the call this morning.",
    "Please find the figures for the second quarter below.",
    "Could you let me know by Friday whether the dates still work?",
    "We would like to start with twelve seats & add more later.",
    "The price is 4.250,00 € net, as discussed.",
    "Could we move our meeting to half past three?",
    "I have copied my colleague, who looks after the technical side.",
    "Can you send the signed version to our purchasing department?",
    "From line 3 of the contract: <the supplier> delivers within 14 days.",
    "Vielen Dank für die schnelle Rückmeldung.",
    "Wir würden uns über einen Termin in der nächsten Woche freuen.",
    "Die Größe passt, die Farbe leider nicht.",
    "Merci beaucoup, nous avons bien reçu le modèle.",
    "Le délai de livraison nous paraît un peu court.",
    "Muchas gracias por la información, mañana le respondo.",
    "Tack för snabbt svar, vi hörs på måndag.",
    "Dziękuję, wracamy do sprawy w środę.",
    "Obrigado pela atenção e até amanhã.",
    "From experience this takes about two weeks.",
    "I'm out of the office until Monday; Tom can help meanwhile.",
    "The attached list isn't complete yet.",
    "Looks good \u{2013} let's go ahead! \u{1F44D}",
];

/// Sentences that Latin-1 can hold, and with its Euro sign windows-1252.
pub(super) const LATIN_SENTENCES: &[&str] = &[
    "Schöne Grüße aus München, das Muster ist unterwegs.",
    "Die Rechnung über 1.200,50 € finden Sie im Anhang.",
    "Nous vous répondrons dès que possible, à bientôt.",
    "El señor Núñez llegará mañana a las ocho.",
    "Åsa och Björn är på semester till den första.",
];

/// Sentences, as UTF-8 and as ISO-2022-JP.
pub(super) const JAPANESE_SENTENCES: &[(&str, &[u8])] = &[
    (
        "お世話になっております。見積書をお送りします。",
        b"\x1b$B$*@$OC$K$J$C$F$*$j$^$9!#8+@Q=q$r$*Aw$j$7$^$9!#\x1b(B",
    ),
    ("ご確認ください。", b"\x1b$B$43NG'$/$@$5$$!#\x1b(B"),
    (
        "納期は来週の金曜日です。",
        b"\x1b$BG<4|$OMh=5$N6bMKF|$G$9!#\x1b(B",
    ),
];

/// How mails begin.
pub(super) const GREETINGS: &[&str] = &[
    "Hello", "Hi", "Dear", "Hallo", "Bonjour", "Hola", "Hej", "Ciao",
];

/// How mails end.
pub(super) const CLOSINGS: &[&str] = &[
    "Best regards",
    "Kind regards",
    "Viele Grüße",
    "Cordialement",
    "Saludos",
    "Cheers",
    "Med vänliga hälsningar",
];

/// Names of attachments, and their types.
pub(super) const ATTACHMENTS: &[(&str, &str)] = &[
    ("offer.pdf", "application/pdf"),
    ("Angebot Größen.pdf", "application/pdf"),
    (
        "figures.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("scan 001.jpeg", "image/jpeg"),
    ("notes.txt", "text/plain"),
    ("見積書.pdf", "application/pdf"),
    ("data.csv", "text/csv"),
];
