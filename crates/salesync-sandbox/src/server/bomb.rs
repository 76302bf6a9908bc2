//! A gzip body that is small on the wire and large when unpacked.

/// How many bytes one repetition of the densest code stands for.
const RUN_BYTES: usize = 258;

/// Makes a valid gzip body of at least `size` spaces, about 1/158 of that long.
pub(crate) fn gzip_of_spaces(size: usize) -> Vec<u8> {
    let runs = size.div_ceil(RUN_BYTES);
    let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut bits = Bits::default();
    // One final block with fixed codes: a space, then "258 times what was one byte ago".
    bits.push(0b011, 3);
    bits.push(reversed(0x30 + u32::from(b' '), 8), 8);
    for _ in 0..runs {
        bits.push(reversed(0b1100_0101, 8), 8);
        bits.push(0, 5);
    }
    bits.push(0, 7);
    body.extend(bits.finish());
    let total = runs.saturating_mul(RUN_BYTES).saturating_add(1);
    body.extend(crc_of_spaces(total).to_le_bytes());
    let length = u32::try_from(total & 0xffff_ffff).unwrap_or(u32::MAX);
    body.extend(length.to_le_bytes());
    body
}

#[derive(Debug, Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count = self.count.saturating_add(count);
        while self.count >= 8 {
            self.bytes
                .push(self.held.to_le_bytes().first().copied().unwrap_or(0));
            self.held >>= 8;
            self.count = self.count.saturating_sub(8);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.push(0, 8_u32.saturating_sub(self.count));
        }
        self.bytes
    }
}

fn reversed(code: u32, count: u32) -> u32 {
    code.reverse_bits() >> 32_u32.saturating_sub(count)
}

fn crc_of_spaces(count: usize) -> u32 {
    let mut table = [0_u32; 256];
    for (byte, entry) in (0_u32..).zip(table.iter_mut()) {
        *entry = (0..8).fold(byte, |crc, _| {
            if crc & 1 == 1 {
                0xedb8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            }
        });
    }
    let crc = (0..count).fold(u32::MAX, |crc, _| {
        let place = ((crc ^ u32::from(b' ')) & 0xff) as usize;
        table.get(place).copied().unwrap_or(0) ^ (crc >> 8)
    });
    !crc
}
