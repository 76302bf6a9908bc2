//! Answers the questions of an engine that works on sets of rows, from inside of it: as a module of WebAssembly, which a
//! function in JavaScript holds.
//!
//! A call goes in three steps: [`room`] makes room for a question in the module's memory, where the caller puts it; [`run`]
//! answers it; and [`answer`] tells where the answer lies.

use std::cell::RefCell;

thread_local! {
    /// The question, and after it the answer.
    static HELD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for a question of so many bytes of UTF-8; returns where it begins.
#[expect(unsafe_code, reason = "the caller knows the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> usize {
    HELD.with_borrow_mut(|held| {
        held.clear();
        held.resize(bytes, 0);
        held.as_ptr() as usize
    })
}

/// Answers the question that was put there; returns how many bytes of UTF-8 the answer has, -1 where the question can't be
/// read.
#[expect(unsafe_code, reason = "the caller knows the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn run() -> isize {
    HELD.with_borrow_mut(|held| {
        let question = std::str::from_utf8(held).ok();
        let answered = question.and_then(|it| salesync_core::resolve::remote::answer(it).ok());
        match answered {
            Some(answer) => {
                *held = answer.into_bytes();
                isize::try_from(held.len()).unwrap_or(-1)
            }
            None => -1,
        }
    })
}

/// Returns where the answer begins. It stays there until the next question.
#[expect(unsafe_code, reason = "the caller knows the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    HELD.with_borrow(|held| held.as_ptr() as usize)
}
