const held = globalThis;
if (!held.salesync) {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const worth = {};
  for (let at = 0; at < 64; at++) worth[digits[at]] = at;
  const text = module.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor(text.length * 3 / 4));
  let bits = 0, count = 0, filled = 0;
  for (let at = 0; at < text.length; at++) {
    bits = (bits << 6 | worth[text[at]]) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[filled++] = bits >> count & 255;
    }
  }
  held.salesync = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;
}
const engine = held.salesync;
const asked = unescape(encodeURIComponent(question));
const room = engine.room(asked.length);
const memory = new Uint8Array(engine.memory.buffer);
for (let at = 0; at < asked.length; at++) memory[room + at] = asked.charCodeAt(at);
const length = engine.run();
if (length < 0) throw new Error("a question could not be read");
const answer = new Uint8Array(engine.memory.buffer, engine.answer(), length);
let said = "";
for (let at = 0; at < length; at += 8192) {
  said += String.fromCharCode.apply(null, answer.subarray(at, Math.min(length, at + 8192)));
}
return decodeURIComponent(escape(said));
