//! What the exit code of a container says, where it says something for certain.

/// Docker's and the shell's convention: 126 and 127 for a command that could not be run, 128 and a signal's number for
/// a process that a signal ended.
pub(crate) fn meaning(code: i32) -> Option<&'static str> {
    Some(match code {
        126 => "the command cannot be executed: no permission, or not a program",
        127 => "the command was not found in the image",
        134 => "the program aborted (SIGABRT)",
        137 => "killed with SIGKILL: it did not end by itself",
        139 => "the program crashed on a memory access (SIGSEGV)",
        143 => "ended on SIGTERM: it was told to stop",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_means_what_docker_and_the_shell_mean_by_it() {
        let words = [126, 127, 134, 137, 139, 143].map(|code| meaning(code).unwrap_or_default());
        let parts = [
            "cannot be executed",
            "not found",
            "SIGABRT",
            "SIGKILL",
            "SIGSEGV",
            "SIGTERM",
        ];
        for (words, part) in words.iter().zip(parts) {
            assert!(words.contains(part), "{words:?} and {part:?}");
        }
        assert_eq!(
            [0, 1, 2, 125, 255].map(meaning),
            [None; 5],
            "the program's own business"
        );
    }
}
