"""Says what Python's `email` package makes of messages, for the decoder's tests to compare with.

Called with a folder; for each .eml file below it, one line of JSON on stdout:

  name      the file, from the folder
  raw       the message in base64url, as Gmail's API gives it with format=raw
  payload   the message as Gmail's API takes it apart with format=full
  expected  what the `email` package says of it, with the default policy; a field that makes the package
            fail is {"error": ...}

Which part is the text and which are attachments is the rule of the decoder; that rule is written down once more
here, over the package's own tree, types, names, and decoded contents.
"""

import base64
import datetime
import email
import email.policy
import html.parser
import json
import pathlib
import re
import sys

ROLES = ["from", "sender", "reply-to", "to", "cc", "bcc"]
CODECS = {"windows-31j": "cp932", "ks_c_5601-1987": "cp949", "iso-8859-8-i": "iso-8859-8"}


def base64url(data, padded):
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def text_of(data):
    """Bytes of a header, or text that the package made of them, as JSON can carry them."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def is_leaf(part):
    return not isinstance(part.get_payload(), list)


def content(part):
    """The decoded bytes of a leaf. The package keeps them, as it keeps all text, in ASCII with escapes."""
    decoded = part.get_payload(decode=True)
    return b"" if decoded is None else decoded


def payload(part, place, padded):
    """Takes a part apart the way Gmail's API does: partId "" for the message, then "0", "1", "1.0"."""
    node = {
        "partId": place,
        "mimeType": part.get_content_type(),
        "filename": filename(part) or "",
        "headers": [
            {"name": name, "value": text_of(value)} for name, value in part.raw_items()
        ],
    }
    if is_leaf(part):
        data = content(part)
        if node["filename"]:
            node["body"] = {"size": len(data), "attachmentId": f"ANGjdJ{place}"}
        else:
            node["body"] = {"size": len(data), "data": base64url(data, padded)}
    else:
        node["body"] = {"size": 0}
        prefix = place + "." if place else ""
        node["parts"] = [
            payload(inner, f"{prefix}{at}", padded)
            for at, inner in enumerate(part.get_payload())
        ]
    return node


def one_line(text):
    return " ".join(printable(text).split())


def printable(text):
    return text.replace("\0", "\ufffd")


def filename(part):
    name = part.get_filename()
    return one_line(text_of(name)) if name else None


def walk(part):
    """The part and those inside of it, depth first, but not those inside of a message."""
    yield part
    if not is_leaf(part) and part.get_content_maintype() != "message":
        for inner in part.get_payload():
            yield from walk(inner)


def disposition(part):
    return part.get_content_disposition()


def attachments(message):
    found = []
    for part in walk(message):
        main, kind = part.get_content_maintype(), part.get_content_type()
        if main == "multipart":
            continue
        named = filename(part)
        if (
            named
            or disposition(part) == "attachment"
            or kind == "message/rfc822"
            or main not in ("text", "message")
        ):
            # Of a message inside of a message the package keeps no bytes.
            size = len(content(part)) if is_leaf(part) else None
            found.append({"filename": named, "mime_type": kind, "size_bytes": size})
    return found


class Seen(html.parser.HTMLParser):
    """Collects what a reader sees of a page."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.unseen, self.text = 0, []

    def handle_starttag(self, tag, attributes):
        self.unseen += tag in ("script", "style", "title", "template")

    def handle_endtag(self, tag):
        if tag in ("script", "style", "title", "template") and self.unseen:
            self.unseen -= 1

    def handle_data(self, data):
        if not self.unseen:
            self.text.append(data)


def decoded(part):
    """The text of a part: valid UTF-8 is UTF-8, else the declared charset, else windows-1252."""
    data = content(part)
    charset = (part.get_content_charset() or "").lower()
    if charset == "iso-2022-jp" and b"\x1b" in data:
        return data.decode("iso-2022-jp", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    # The standard of the web reads Latin-1 and ASCII as windows-1252.
    if charset in ("iso-8859-1", "latin1", "us-ascii", "ascii"):
        charset = "cp1252"
    try:
        return data.decode(CODECS.get(charset, charset) or "cp1252", "replace")
    except LookupError:
        return data.decode("cp1252", "replace")


def body(message):
    for kind in ("text/plain", "text/html"):
        for part in walk(message):
            if (
                part.get_content_type() == kind
                and is_leaf(part)
                and not filename(part)
                and disposition(part) != "attachment"
            ):
                text = decoded(part)
                if kind == "text/html":
                    seen = Seen()
                    seen.feed(text)
                    seen.close()
                    text = "".join(seen.text)
                if text.strip():
                    return {"kind": kind, "text": "".join(printable(text).split())}
    return None


def participants(message, role):
    found = []
    for header in message.get_all(role, []):
        for group in header.groups:
            for address in group.addresses:
                found.append(
                    {
                        # The package writes no address as "<>".
                        "address": one_line(text_of(address.addr_spec)).replace("<>", "") or None,
                        "name": one_line(text_of(address.display_name)) or None,
                        "group": one_line(text_of(group.display_name or "")) or None,
                    }
                )
    return [one for one in found if one["address"] or one["name"]]


def first_line(message, name):
    value = message.get(name)
    return one_line(text_of(str(value))) or None if value is not None else None


def ids(message, name):
    value = str(message.get(name) or "")
    if "<" in value:
        return re.findall(r"<([^<>]+)>", "".join(value.split()))
    return [word for word in value.split() if "@" in word]


def date(message):
    header = message.get("date")
    if header is None or header.datetime is None:
        return None
    instant = header.datetime
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=datetime.timezone.utc)  # -0000: UTC, its place unknown
    return int(instant.timestamp())


def expected(message):
    fields = {
        "subject": lambda: first_line(message, "subject"),
        "message_id": lambda: (ids(message, "message-id") or [None])[0],
        "in_reply_to": lambda: (ids(message, "in-reply-to") or [None])[0],
        "references": lambda: ids(message, "references"),
        "date": lambda: date(message),
        "attachments": lambda: attachments(message),
        "body": lambda: body(message),
    }
    for role in ROLES:
        fields[role] = lambda role=role: participants(message, role)
    said = {}
    for name, field in fields.items():
        try:
            said[name] = field()
        except Exception as error:  # the package fails on some malformed headers
            said[name] = {"error": type(error).__name__}
    return said


def main():
    folder = pathlib.Path(sys.argv[1])
    for at, path in enumerate(sorted(folder.rglob("*.eml"))):
        data = path.read_bytes()
        message = email.message_from_bytes(data, policy=email.policy.default)
        padded = at % 2 == 0
        answer = {
            "name": str(path.relative_to(folder)),
            "raw": base64url(data, not padded),
            "payload": payload(message, "", padded),
            "expected": expected(message),
        }
        print(json.dumps(answer))


main()
