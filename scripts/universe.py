#!/usr/bin/env python3
"""Writes a sales universe with its truth: people and companies over four sources, with the mistakes that such records
have and the traps that lead resolvers astray, at any size. The same words give the same files.

usage: universe.py RECORDS FOLDER [SEED]    writes FOLDER/universe_RECORDS.csv.gz and .truth.csv.gz

Traps: switchboards on people's records and nameless calls from them, shared and assistants' mailboxes, families on one
phone, namesakes at one company, free mail as a website, placeholders, notifications in a person's name. Mistakes:
several mailboxes, job changes, changed surnames, nicknames, initials, swapped and cut names, diacritics, mojibake,
typing errors, numbers without country code or with extensions, legal forms, abbreviations, several domains.
"""

import bisect
import csv
import gzip
import random
import sys
import unicodedata

COLUMNS = (
    "record_id source object kind name first_name last_name email emails phone phones company website title city"
    " country created_at updated_at"
).split()
# Its names, calling code, trunk prefix, digits of area and number, legal forms, share in percent.
COUNTRIES = {
    "US": ("US|USA|United States", "1", "", 3, 7, "Inc.|LLC|Corp.", 44),
    "GB": ("GB|UK|United Kingdom", "44", "0", 3, 7, "Ltd|Limited|PLC", 18),
    "DE": ("DE|Germany|Deutschland", "49", "0", 3, 7, "GmbH|AG|GmbH & Co. KG", 12),
    "FR": ("FR|France", "33", "0", 1, 8, "SAS|SARL|S.A.", 8),
    "ES": ("ES|Spain|España", "34", "", 2, 7, "S.L.|S.A.", 7),
    "SE": ("SE|Sweden|Sverige", "46", "0", 2, 7, "AB|Aktiebolag", 6),
    "NL": ("NL|Netherlands", "31", "0", 2, 7, "B.V.|N.V.", 5),
}
# Some seventy, as in sales records of these countries.
CITIES = {
    "US": (
        "Austin Boston Denver Portland Chicago Seattle Atlanta Dallas Houston Phoenix Nashville Miami Detroit Tampa"
        " Omaha Tulsa Raleigh Memphis Oakland Cleveland"
    ),
    "GB": "Leeds London Bristol Glasgow Manchester Birmingham Liverpool Sheffield Edinburgh Cardiff",
    "DE": "Hamburg Köln München Berlin Frankfurt Stuttgart Düsseldorf Leipzig Dresden",
    "FR": "Lyon Paris Nantes Lille Toulouse Bordeaux Rennes Strasbourg",
    "ES": "Madrid Sevilla Valencia Barcelona Zaragoza Málaga Bilbao Murcia",
    "SE": "Malmö Göteborg Stockholm Uppsala Örebro Västerås",
    "NL": "Utrecht Rotterdam Amsterdam Eindhoven Groningen Tilburg",
}
ENGLISH = (
    "Robert/Bob William/Bill James/Jim Michael/Mike Elizabeth/Liz Margaret/Peggy Katherine/Kate Thomas/Tom Richard/Rick"
    " Daniel/Dan Matthew/Matt Christopher/Chris Jennifer/Jen Patricia/Pat Susan/Sue Joseph/Joe Anthony/Tony Samuel/Sam"
    " Benjamin/Ben Victoria/Vicky Rebecca/Becky Deborah/Debbie Nicholas/Nick Jonathan/Jon Andrew/Andy Gregory/Greg"
    " Steven/Steve Timothy/Tim Kimberly/Kim Dorothy/Dot Linda Karen Nancy Brian Kevin Laura Emily Grace Aaron Tyler Megan"
)
# Given names, with what friends say.
GIVEN = {
    "US": ENGLISH,
    "GB": ENGLISH,
    "DE": "Jürgen Björn Käthe Jana Katharina/Kathi Matthias Stefan Andreas/Andi Sabine Ulrich/Uli Wolfgang Günther Jörg"
    " Heike Anja Lukas Johannes/Hannes Friederike/Rike Maximilian/Max Franziska/Franzi",
    "FR": "Anaïs Hélène François Élodie Jean-Pierre Céline Benoît Amélie Thierry Sébastien/Seb Margaux Camille Zoé",
    "ES": "José Carlos María Lucía Antonio/Toño Francisco/Paco Ángel Sofía Martín Inés Manuel/Manolo Dolores/Lola",
    "SE": "Åsa Björn Göran Lars Malin Erik Ingrid Märta Håkan Linnéa Sven Karin Jonas Elin",
    "NL": "Jan Pieter/Piet Willem/Wim Marieke Sanne Hendrik/Henk Johanna/Jo Daan Femke Bram",
}
# Surnames that many have.
COMMON = {
    "US": "Smith Johnson Williams Brown Jones Garcia Miller Davis Lopez Wilson Anderson Thomas Taylor Moore Jackson Lee",
    "GB": "Smith Jones Taylor Brown Williams Wilson Davies Evans Walker Wright Roberts Green Hall Hughes",
    "DE": "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Köhler Böhm",
    "FR": "Martin Bernard Dubois Moreau Laurent Lefèvre Garnier Rousseau Fournier Mercier",
    "ES": "García Martínez López Sánchez Pérez Gómez Ruiz Hernández Muñoz Romero",
    "SE": "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Lindström Sjöberg",
    "NL": "de_Vries van_den_Berg van_Dijk Bakker Janssen Visser de_Boer Mulder",
}
ONSETS = "b br c ch d dr f fl g gr h j k kl l m n p pr r s sch st t tr v w z".split()
VOWELS = "a e i o u ai ea ie ou".split()
CODAS = [*"l n r s t nd rk lm ng th x ck".split(), *[""] * 6]
ENDINGS = "son man berg field ton ley er ski ov ez ini worth dale wick stad".split()
HEADS = "Silver Apex Stellar United Northern Blue Prime Delta Summit Harbor Nova Union".split()
TAILS = "Link Forge Point Haven Peak Bridge Gate Works".split()
TRADES = (
    "Software Logistics Foods Energy Analytics Consulting Media Health Systems Travel Partners Construction Insurance"
    " Textiles Robotics Pharma Design Security Capital Retail"
).split()
SHORTER = {"Software": "SW", "Systems": "Sys.", "Partners": "& Partners", "Construction": "Constr."}
TITLES = "CEO|CFO|Head of Sales|Buyer|Project Manager|Office Manager|Software Engineer|Account Executive".split("|")
FREE = "gmail.com gmail.com gmail.com outlook.com yahoo.com hotmail.com icloud.com".split()
ROLES = "info sales office support billing hello".split()
NOBODY = ["test@test.com", "none@none.com", "noreply@example.com"]
NO_NUMBER = ["000-000-0000", "1111111111", "1234567890"]
# Shares of the sources that records about people are in, added up.
SOURCES = [("gmail", 40), ("salesforce", 68), ("hubspot", 94), ("dialpad", 100)]


def plain(text):
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def digraphs(text):
    for one, two in zip("äöüåÄÖÜÅ", "ae oe ue aa Ae Oe Ue Aa".split(), strict=True):
        text = text.replace(one, two)
    return text


def handle(text):
    return "".join(sign for sign in plain(text).lower() if sign.isalnum())


class Universe:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.rows, self.domains, self.serial = [], set(), 0

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def pick(self, values):
        return values[int(self.random.random() * len(values))]

    def digits(self, count):
        return str(self.random.randint(2, 9)) + "".join(str(self.random.randint(0, 9)) for _ in range(count - 1))

    def syllables(self, count):
        return "".join(self.pick(ONSETS) + self.pick(VOWELS) + self.pick(CODAS) for _ in range(count))

    def typo(self, text):
        if len(text) < 4:
            return text
        at = self.random.randrange(1, len(text) - 1)
        sign = str(self.random.randint(0, 9)) if text[at].isdigit() else self.pick("abcdefghijklmnoprstuvw")
        before, here, after = text[:at], text[at], text[at + 1 :]
        swapped = before + after[:1] + here + after[1:]
        return self.pick([before + after, swapped, before + sign + after, before + sign + here + after])

    # What there is.

    def country(self):
        at = self.random.random() * 100
        for name, about in COUNTRIES.items():
            at -= about[-1]
            if at < 0:
                return name
        return "US"

    def number(self, country):
        _, code, trunk, area, rest, *_ = COUNTRIES[country]
        return code, trunk, self.digits(area), self.digits(rest)

    def surname(self, country):
        if self.chance(20):
            return self.pick(COMMON[country].split()).replace("_", " ")
        stem = self.syllables(1 if self.chance(60) else 2).title()
        return stem + (self.pick(ENDINGS) if self.chance(70) else "")

    def company(self, entity):
        country = self.country()
        head = self.pick([self.syllables(2).title(), self.surname(country), f"{self.pick(HEADS)} {self.pick(TAILS)}"])
        name = f"{head} {self.pick(TRADES)}" if self.chance(75) else head
        base = handle(name if self.chance(60) else head)
        ending = {"US": "com", "GB": "co.uk"}.get(country, country.lower())
        domain = f"{base}.{self.pick(['com', ending])}"
        while domain in self.domains:
            domain = f"{base}{self.syllables(1)}{self.random.randint(1, 99)}.{ending}"
        self.domains.add(domain)
        second = [f"{domain.split('.')[0]}-group.com"] if self.chance(5) else []
        second = [other for other in second if other not in self.domains]
        self.domains.update(second)
        forms = COUNTRIES[country][-2]
        return {
            "entity": f"A{entity}",
            "country": country,
            "city": self.pick(CITIES[country].split()),
            "name": name,
            "form": self.pick(forms.split("|")),
            "domains": [domain, *second],
            "switchboard": self.number(country),
            "pattern": self.random.randrange(5),
            "people": [],
            "mailboxes": set(),
        }

    def person(self, entity, companies):
        country, company = self.country(), self.pick(companies)
        given, _, short = self.pick(GIVEN[country].split()).partition("/")
        if self.chance(40):
            given, short = self.syllables(2).title(), ""
        surname, family = self.surname(country), None
        if company["people"] and self.chance(0.7):
            given, surname, short, _ = self.pick(company["people"])["names"]  # A namesake.
        elif company["people"] and self.chance(1.5):
            family = self.pick(company["people"])
            surname = family["names"][1]
        first, last = handle(given), handle(surname)
        free = self.pick([f"{first}{last}", f"{first}.{last}", f"{first[:1]}{last}", f"{last}{first[:1]}"])
        free += str(self.random.randint(1, 9_999)) if self.chance(75) else ""
        jobs = [company, self.pick(companies)] if self.chance(10) else [company]
        person = {
            "entity": f"P{entity}",
            "country": country,
            "names": (given, surname, short, self.surname(country) if self.chance(1.5) else surname),
            "middle": self.pick("ABCDEGJKLMRST") if self.chance(20) else "",
            "jobs": jobs,
            "mailboxes": [self.mailbox((first, last), job) for job in jobs],
            "mobile": family["mobile"] if family and self.chance(50) else self.number(country),
            "free": f"{free}@{self.pick(FREE)}",
            "extension": self.random.randint(100, 999),
            "title": self.pick(TITLES),
        }
        company["people"].append(person)
        return person

    def mailbox(self, names, company):
        first, last = names
        patterns = [f"{first}.{last}", f"{first[:1]}{last}", f"{first}_{last}", f"{first}{last}", f"{first[:1]}.{last}"]
        local, number = patterns[company["pattern"]], 1
        address = f"{local}@{company['domains'][0]}"
        while address in company["mailboxes"]:
            number += 1
            address = f"{local}{number}@{company['domains'][0]}"
        company["mailboxes"].add(address)
        return address

    # How it is written down.

    def written_names(self, person):
        first, last, short, later = person["names"]
        if self.chance(50):
            last = later
        at = self.random.random() * 100
        if at < 22:
            first = short or first
        elif at < 27:
            first = self.pick([f"{first[:1]}.", first[:1]])
        elif at < 30:
            first = ""
        if person["middle"] and self.chance(25):
            first = f"{first} {person['middle']}".strip()
        at = self.random.random() * 100
        if at < 20:
            first, last = plain(first), plain(last)
        elif at < 25:
            first, last = digraphs(first), digraphs(last)
        elif at < 26:
            first, last = (text.encode().decode("latin-1") for text in (first, last))
        elif at < 28:
            first, last = (unicodedata.normalize("NFD", text) for text in (first, last))
        first = self.typo(first) if self.chance(2) else first
        last = self.typo(last) if self.chance(2) else last
        if self.chance(1.5) and first:
            first, last = last, first
        if self.chance(3):
            first, last = first.upper(), last.upper()
        elif self.chance(3):
            first, last = first.lower(), last.lower()
        return first, last

    def written_email(self, person, job):
        company, at = person["jobs"][job], self.random.random() * 100
        address = person["mailboxes"][job]
        if at < 18:
            address = person["free"]
        elif at < 20:
            address = f"{self.pick(ROLES)}@{company['domains'][0]}"
        elif at < 20.7 and company["people"]:
            address = self.pick(company["people"])["mailboxes"][0]
        elif at < 21.2:
            return self.pick(NOBODY)
        elif len(company["domains"]) > 1 and self.chance(30):
            address = f"{address.split('@')[0]}@{company['domains'][1]}"
        local, domain = address.split("@")
        at = self.random.random() * 100
        if at < 0.8:
            local = self.typo(local)
        elif at < 1.6:
            name, _, ending = domain.partition(".")
            domain = f"{self.typo(name)}.{ending}"
        elif at < 2.6:
            local = f"{local}+{self.pick(['crm', 'news', 'work'])}"
        elif at < 3.2 and domain == "gmail.com":
            local = f"{local[:1]}.{local[1:]}"
        address = f"{local}@{domain}"
        odd = [address.upper(), address.title(), f"mailto:{address}", f"<{address}>", f"{address}."]
        return self.pick(odd) if self.chance(6) else address

    def written_phone(self, number, extension=None):
        code, trunk, area, rest = number
        if self.chance(1):
            rest = self.typo(rest)[: len(rest)].ljust(len(rest), "0")
        half = len(rest) // 2
        one, two = rest[:half], rest[half:]
        text = self.pick(
            [
                f"+{code}{area}{rest}",
                f"+{code} {area} {one} {two}",
                f"+{code}-{area}-{one}-{two}",
                f"00{code} {area} {rest}" if trunk else f"1-{area}-{one}-{two}" if code == "1" else f"+{code}{area} {rest}",
                f"({trunk}{area}) {one}-{two}",
                f"{trunk}{area}{rest}" if trunk else f"{area}.{one}.{two}",
                f"{code}{area}{rest}",
            ]
        )
        return f"{text} {self.pick(['x', 'ext. ', 'ext '])}{extension}" if extension else text

    def phone_of(self, person, company):
        at = self.random.random() * 100
        if at < 23:
            return self.written_phone(company["switchboard"])
        if at < 30:
            return self.written_phone(company["switchboard"], person["extension"])
        return self.pick(NO_NUMBER) if at < 30.7 else self.written_phone(person["mobile"])

    def written_company(self, company):
        name, at = company["name"], self.random.random() * 100
        head, _, trade = name.rpartition(" ")
        if at < 40:
            return f"{name}{self.pick([' ', ' ', ', '])}{company['form']}"
        if at < 46:
            return f"{head} {SHORTER[trade]}" if head and trade in SHORTER else name
        if at < 50:
            return head or name
        if at < 53:
            return self.typo(name)
        return name.upper() if at < 57 else plain(name) if at < 60 else name

    def row(self, source, kind, entity, **values):
        self.serial += 1
        year, month, day = self.random.randint(2021, 2024), self.random.randint(1, 12), self.random.randint(1, 28)
        values |= {
            "record_id": f"{source[:2]}{self.serial:09x}",
            "source": source,
            "kind": kind,
            "created_at": f"{year}-{month:02}-{day:02}T09:00:00Z",
            "updated_at": f"{year + 1}-{month:02}-{day:02}T10:00:00Z",
        }
        self.rows.append((values, entity))

    def participant(self, person, job):
        first, last = self.written_names(person)
        whole = f"{first} {last}".strip()
        name = self.pick([whole] * 6 + [f"{last}, {first}" if first else last, f"'{whole}'"])
        at = self.random.random() * 100
        if at < 14:
            name = ""
        elif at < 16:
            name = f"{name} ({person['jobs'][job]['name']})"
        elif at < 16.5:
            name = f"{name} via {self.pick(['Docs', 'LinkedIn', 'DocuSign'])}"
        phone = self.written_phone(person["mobile"]) if self.chance(8) else ""
        email = self.written_email(person, job)
        self.row("gmail", "person", person["entity"], object="participant", name=name, email=email, phone=phone)

    def caller(self, person, job):
        first, last = self.written_names(person)
        name, at = f"{first} {last}".strip(), self.random.random() * 100
        if at < 33:
            name = ""
        elif at < 47:
            name = f"{plain(last)} {plain(first)}".strip().upper()[:15]
        elif at < 48:
            name = "WIRELESS CALLER"
        number = person["jobs"][job]["switchboard"] if name and self.chance(20) else person["mobile"]
        email = self.written_email(person, job) if self.chance(8) else ""
        phone = self.written_phone(number)
        self.row("dialpad", "person", person["entity"], object="call_party", name=name, email=email, phone=phone)

    def contact(self, person, job, source):
        company, is_salesforce = person["jobs"][job], source == "salesforce"
        first, last = self.written_names(person)
        country = COUNTRIES[person["country"] if self.chance(90) else company["country"]][0]
        self.row(
            source,
            "person",
            person["entity"],
            object="Contact" if is_salesforce else "contact",
            first_name=first,
            last_name=last or ("Not Provided" if is_salesforce else ""),
            email=self.written_email(person, job) if self.chance(88) else "",
            phone=self.phone_of(person, company) if self.chance(60) else "",
            phones=self.written_phone(person["mobile"]) if self.chance(20) else "",
            company=self.written_company(company) if self.chance(80) else "",
            title=person["title"] if self.chance(55) else "",
            city=company["city"] if self.chance(50) else "",
            country=self.pick(country.split("|")) if self.chance(60) else "",
        )

    def account(self, company, source):
        site = self.pick(FREE) if self.chance(0.7) else self.pick(company["domains"])
        site = self.pick([site, f"www.{site}", f"https://{site}/", f"http://www.{site}"])
        self.row(
            source,
            "account",
            company["entity"],
            object={"salesforce": "Account", "hubspot": "company"}.get(source, "contact"),
            company=self.written_company(company),
            website=site if source != "dialpad" and self.chance(85) else "",
            phone=self.written_phone(company["switchboard"]) if source == "dialpad" or self.chance(65) else "",
            email=f"info@{company['domains'][0]}" if self.chance(9) else "",
            city=company["city"] if self.chance(70) else "",
            country=self.pick(COUNTRIES[company["country"]][0].split("|")) if self.chance(83) else "",
        )

    def of_company(self, company):
        """Writes down the company, its shared mailbox, and calls from its switchboard."""
        for source, share in [("salesforce", 100), ("hubspot", 72), ("dialpad", 12)]:
            if self.chance(share):
                self.account(company, source)
        if self.chance(40):
            role = self.pick(ROLES)
            entity, email = f"R{company['entity']}.{role}", f"{role}@{company['domains'][0]}"
            for _ in range(1 if self.chance(75) else self.random.randint(2, 4)):
                name = self.pick(["", role.title(), company["name"]])
                self.row("gmail", "person", entity, object="participant", name=name, email=email)
        if self.chance(40):
            for _ in range(self.random.randint(1, 4)):
                phone = self.written_phone(company["switchboard"])
                self.row("dialpad", "person", f"S{company['entity']}", object="call_party", phone=phone)

    def fill(self, records):
        """Makes entities until there are so many records."""
        companies = [self.company(number) for number in range(max(records // 26, 4))]
        for company in companies:
            self.of_company(company)
        bounds, entity = [share for _, share in SOURCES], 0
        while len(self.rows) < records:
            person, entity = self.person(entity, companies), entity + 1
            for _ in range(min(1 + int(self.random.expovariate(1 / 1.9)), 10)):
                source, _ = SOURCES[min(bisect.bisect_left(bounds, self.random.random() * 100), 3)]
                job = self.random.randrange(len(person["jobs"]))
                if source == "gmail":
                    self.participant(person, job)
                elif source == "dialpad":
                    self.caller(person, job)
                else:
                    self.contact(person, job, source)
        self.random.shuffle(self.rows)

    def write(self, path):
        with (
            gzip.open(f"{path}.csv.gz", "wt", newline="", compresslevel=1) as data,
            gzip.open(f"{path}.truth.csv.gz", "wt", newline="", compresslevel=1) as truth,
        ):
            rows = csv.DictWriter(data, COLUMNS, restval="", lineterminator="\n")
            answers = csv.writer(truth, lineterminator="\n")
            rows.writeheader()
            answers.writerow(["record_id", "entity_id", "kind"])
            for values, entity in self.rows:
                rows.writerow(values)
                answers.writerow([values["record_id"], entity, values["kind"]])


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    universe = Universe(sys.argv[3] if len(sys.argv) == 4 else "1")
    universe.fill(int(sys.argv[1]))
    universe.write(f"{sys.argv[2]}/universe_{sys.argv[1]}")
