"""What `llmcourse grade --doctor` says about this machine."""

from llmcourse.grading.sandbox.probing import WAY_OUT, Report
from llmcourse.grading.sandbox.tiers import Tier

# what each later version of Landlock holds back
LANDLOCK_GAINS = {
    3: "the cutting short of files",
    4: "TCP by port",
    5: "commands to devices",
    6: "signals and abstract sockets",
}


def doctor(report: Report) -> str:
    """What `llmcourse grade --doctor` says: the tier, why it is that one, and what would raise it."""
    lines = {
        Tier.ONE: "Tier one: students' code runs in bubblewrap's namespaces, behind Landlock, seccomp and limits.",
        Tier.TWO: "Tier two: students' code runs behind Landlock, seccomp and limits, in the grader's own namespaces.",
        Tier.NONE: "No sandbox: this machine cannot lock students' code in, and the grader refuses to run it.",
    }
    said = [lines[report.tier]]
    if report.landlock:
        missing = [what for since, what in LANDLOCK_GAINS.items() if report.landlock < since]
        said.append(f"Landlock: version {report.landlock} of the kernel's interface.")
        if missing:
            said.append(f"A newer kernel's would also hold back {', '.join(missing)}; here seccomp does what it can.")
    if report.tier is Tier.ONE and not report.bubble.new_proc:
        said.append("Inside, a new /proc is refused, as in many containers; facts about the processor stand in.")
    if report.tier is Tier.TWO:
        said += [f"Why not tier one: {report.why_not_one}", f"What would raise it: {how_to_raise(report.why_not_one)}"]
        said.append("What tier two leaves open: files outside can be seen to be there, with their sizes and times.")
    if report.tier is Tier.NONE:
        said += [f"Why: {report.why_not_two}.", WAY_OUT]
    return "\n".join(said)


def how_to_raise(reason: str) -> str:
    """The next step for whoever wants namespaces, by what stopped them."""
    if "no bubblewrap" in reason:
        return "install the package `bubblewrap` (Debian, Ubuntu, Fedora, Arch and Alpine all name it so)."
    refused = ("Operation not permitted", "Permission denied", "setting up uid map", "No permissions")
    if any(words in reason for words in refused):
        return (
            "let programs make user namespaces. On Ubuntu 24.04 an AppArmor profile for bwrap does it, or "
            "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` for the whole machine; in a container, its "
            "security profile has to allow it (Docker: --security-opt seccomp=unconfined with apparmor=unconfined)."
        )
    return "see the reason above; `bwrap --unshare-user --ro-bind / / true` should end without a word."
