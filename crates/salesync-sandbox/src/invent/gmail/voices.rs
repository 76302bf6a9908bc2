//! Who signs, and how.

use super::{Address, Scribe, VARIANTS};
use crate::invent::spelling;
use crate::world::Voice;

impl Scribe<'_> {
    pub(super) fn hire_machines(&mut self) {
        let senders = [
            ("Billing", "no-reply@billing.example"),
            ("Calendar notices", "notifications@calendar.example"),
            ("", "noreply@accounts.example"),
            ("The Weekly, by Ink & Co.", "newsletter@weekly.example"),
            ("Größen-Shop", "news@groessen-shop.example"),
            ("Fairs", "invitation@fairs.example"),
        ];
        for (name, address) in senders {
            let voice = self.add_voice(name.to_owned(), address.to_owned(), 0);
            self.machines.push(voice);
        }
        for company in self.cast.companies.iter().take(20) {
            let address = format!("marketing@{}", company.domain);
            let voice = self.add_voice(company.name.clone(), address, 0);
            self.machines.push(voice);
        }
    }

    pub(super) fn next_voice(&self) -> u32 {
        u32::try_from(self.side.voices.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn add_voice(&mut self, name: String, address: String, entity: u32) -> u32 {
        let place = self.next_voice();
        self.side.voices.push(Voice {
            name: name.into_boxed_str(),
            address: address.into_boxed_str(),
            entity,
        });
        place
    }

    /// One of the ways in which a member of the team with a mailbox signs.
    pub(super) fn member(&mut self, place: usize) -> u32 {
        let first = self.team.get(place).copied().unwrap_or(0);
        first + self.variant()
    }

    fn variant(&mut self) -> u32 {
        u32::try_from(self.chance.below(VARIANTS as usize)).unwrap_or(0)
    }

    /// One of the ways in which a person signs at an address.
    pub(super) fn voice(&mut self, place: usize, which: Address) -> u32 {
        if let Some(first) = self.voices.get(&(place, which)).copied() {
            return first + self.variant();
        }
        let first = self.next_voice();
        let Some(person) = self.cast.people.get(place) else {
            return 0;
        };
        let addresses = spelling::addresses(person, &self.cast.companies);
        let address = match which {
            Address::Work => addresses.work,
            Address::Former => addresses.former,
            Address::Personal => addresses.personal,
        };
        for _ in 0..VARIANTS {
            let name = spelling::shown_name(&mut self.chance, person, &self.cast.companies);
            let spelled = match self.chance.below(20) {
                0 => address.to_uppercase(),
                _ => address.clone(),
            };
            self.add_voice(name, spelled, person.entity);
        }
        self.voices.insert((place, which), first);
        first + self.variant()
    }
}
