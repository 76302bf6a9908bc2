//! Brings what records about companies say into its one spelling.

use super::super::identity::Said;
use super::super::prepared::{CompanyRow, Rank, Span, Symbol, Texts};
use super::{Preparation, email_with_domain, own};
use crate::normalise::phone::{self, PhoneClass};
use crate::normalise::{company, country, domain};

/// A company's name that was looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CompanyName {
    /// Its words.
    pub(super) core: Symbol,
    /// The same without spaces.
    pub(super) compact: Symbol,
    pub(super) legal_form: Symbol,
}

impl Preparation {
    /// Normalises one company's record.
    pub(super) fn company(&mut self, rank: Rank, said: &Said<'_>) -> CompanyRow {
        let (mut names, mut first_words) = (Vec::new(), Vec::new());
        let (mut compact_names, mut legal_forms) = (Vec::new(), Vec::new());
        let fields = said.company.iter().chain(&said.other_company);
        for raw in fields.flat_map(|field| company::names(field)) {
            let CompanyName {
                core,
                compact,
                legal_form,
            } = self.company_name(raw);
            if !compact.is_empty() && !compact_names.contains(&compact) {
                compact_names.push(compact);
                legal_forms.push(legal_form);
                names.push(core);
                first_words.push(first_word(&mut self.prepared.texts, core));
            }
        }
        let (mut domains, mut cores) = (Vec::new(), Vec::new());
        let sites = said.websites.iter().map(|site| self.own_domain(site));
        let sites: Vec<_> = sites.collect();
        let mails = said.emails.iter().map(|raw| {
            let named = email_with_domain(&mut self.prepared, &mut self.domains, raw);
            own(named.map(|(_, domain)| domain))
        });
        for (domain, core) in sites.into_iter().chain(mails) {
            if !domain.is_empty() && !domains.contains(&domain) {
                domains.push(domain);
                cores.push(core);
            }
        }
        let phones = self.phones(said);
        let place = self.place(said);
        let default = self.default_country.as_deref();
        let zone = zone((said, default), &self.prepared.texts, &domains);
        let names_at = names_at(&mut self.prepared.texts, &compact_names, (place.city, zone));
        let symbols = &mut self.prepared.symbols;
        CompanyRow {
            rank,
            names_at: Span::push(symbols, names_at),
            legal_forms: Span::push(symbols, legal_forms),
            names: Span::push(symbols, names),
            first_words: Span::push(symbols, first_words),
            compact_names: Span::push(symbols, compact_names),
            domains: Span::push(symbols, domains),
            domain_cores: Span::push(symbols, cores),
            lent: Default::default(),
            phones,
            place,
        }
    }

    /// Normalises the name that a field says a company goes by; nothing comes of a placeholder.
    pub(super) fn company_name(&mut self, raw: &str) -> CompanyName {
        let texts = &mut self.prepared.texts;
        self.companies.of(raw, |raw| {
            let in_use = company::names(raw).into_iter().next();
            let company = in_use.and_then(company::normalise);
            company.map_or_else(CompanyName::default, |company| CompanyName {
                core: texts.intern(&company.core),
                compact: texts.intern(&company.compact),
                legal_form: texts.intern(&company.legal_form),
            })
        })
    }
}

/// Returns the calling code of where a company is: of the country it names, else of its domain's, else of its phone's.
fn zone(
    (said, default_country): (&Said<'_>, Option<&str>),
    texts: &Texts,
    domains: &[Symbol],
) -> &'static str {
    let named = said.country.and_then(country::normalise);
    let named = named.and_then(country::calling_code);
    let of_domain = || {
        let mut domains = domains.iter().map(|domain| texts.text(*domain));
        domains.find_map(domain::calling_code)
    };
    let of_phone = || {
        let phones = said
            .phones
            .iter()
            .map(|raw| phone::normalise(raw, default_country));
        let mut real = phones.filter(|phone| phone.class == PhoneClass::Real);
        real.find_map(|phone| phone.calling_code)
    };
    named
        .or_else(of_domain)
        .or_else(of_phone)
        .unwrap_or_default()
}

/// Returns of each name that name in a city and in a zone of calling; empty where these are not known.
fn names_at(texts: &mut Texts, names: &[Symbol], (city, zone): (Symbol, &str)) -> Vec<Symbol> {
    let mut found = Vec::with_capacity(2 * names.len());
    for name in names {
        let name = texts.text(*name);
        let in_city = Some(texts.text(city)).filter(|city| !city.is_empty());
        let in_city = in_city.map(|city| format!("{name}\u{1f}{city}"));
        let in_zone = (!zone.is_empty()).then(|| format!("{name}\u{1f}+{zone}"));
        for at in [in_city, in_zone] {
            found.push(texts.intern(&at.unwrap_or_default()));
        }
    }
    found
}

/// Returns the first word of a name.
fn first_word(texts: &mut Texts, name: Symbol) -> Symbol {
    let words = texts.text(name);
    let first = words.split(' ').next().unwrap_or_default().to_owned();
    texts.intern(&first)
}
