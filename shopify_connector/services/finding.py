"""What the connection check found, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

_ICONS = {
    "error": "fa-times-circle text-danger",
    "warning": "fa-exclamation-triangle text-warning",
    "info": "fa-info-circle text-info",
    "ok": "fa-check-circle text-success",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is right or wrong, in words for the person who connects the store.

    :ivar level: "error" (something does not work), "warning", "info" or "ok".
    :ivar message: what exactly; may be empty.
    :ivar remedy: what to do about it; empty when nothing is to be done.
    :ivar feature: key of `const.FEATURES` that is concerned, or "".
    """

    level: str
    title: str
    message: str = ""
    remedy: str = ""
    feature: str = ""


def render(findings: list[Finding]) -> Markup:
    """The findings as HTML, the worst first."""
    ranked = sorted(findings, key=lambda finding: list(_ICONS).index(finding.level))
    return Markup('<div class="o_shopify_findings">%s</div>') % Markup().join(map(_row, ranked))


def _row(finding: Finding) -> Markup:
    lines = [Markup("<strong>%s</strong>") % finding.title]
    if finding.message:
        lines.append(Markup("<div>%s</div>") % finding.message)
    if finding.remedy:
        lines.append(Markup('<div><i class="fa fa-arrow-right"></i> %s</div>') % finding.remedy)
    icon = Markup('<i class="fa fa-lg fa-fw %s me-2 mt-1"></i>') % _ICONS[finding.level]
    return Markup('<div class="d-flex mb-2">%s<div>%s</div></div>') % (icon, Markup().join(lines))
