"""What a policy may say but hardly means: found on top of what the loader refuses."""

from sigfw.policy.encoding import lax_exceptions, rests_on_encoding
from sigfw.policy.lint_data import lint_data
from sigfw.policy.model import Policy, Rule

__all__ = ["lint"]


def lint(policy: Policy) -> list[str]:
    """Return findings, `file:line: what; what to do`: those of lists and operators, of `exceptions`, of the rules."""
    findings = lint_data(policy) + list(lax_exceptions(policy))
    catch_all: dict[str, Rule] = {}
    ids: dict[tuple[object, ...], Rule] = {}
    for rule in policy.rules:
        if rule.mode == "off":
            continue
        findings += rests_on_encoding(policy, rule)
        if rule.final:
            findings.append(
                f"{rule.where}: `final` on the allow {rule.id} hides the later deny rules of every category; "
                "narrow those rules by not_in instead"
            )
        before = catch_all.get(rule.category)
        if before is not None:
            findings.append(
                f"{rule.where}: rule {rule.id} is never reached: {before.id} of the category {rule.category} "
                f"matches every message ({before.where}); put it before, or into another category"
            )
        elif not rule.when and not rule.checks and rule.mode == "enforce":
            catch_all[rule.category] = rule
        same = ids.setdefault((rule.category, rule.when, rule.checks, rule.checks_all), rule)
        if same is not rule and before is None and same.mode == rule.mode:
            findings.append(
                f"{rule.where}: rule {rule.id} has the conditions of {same.id} ({same.where}) and is never reached; "
                "remove one"
            )
    return findings
