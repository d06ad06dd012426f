"""Bars, as SVG."""

from xml.sax.saxutils import escape

LEFT, WIDTH, ROW, GAP = 220, 420, 22, 46
OURS, OTHERS, TEXT = "#0f766e", "#94a3b8", "#334155"


def bars(charts, leave_out, ours):
    """One group of bars for each chart: {title: {name: microseconds}}. Bars of one group share a scale."""
    parts, y = [], 10
    for title, values in charts.items():
        values = {name: value for name, value in values.items() if name != leave_out}
        most = max(values.values())
        y += 18
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{escape(title)}, CPU time in us/request</text>')
        y += 10
        for name, value in values.items():
            width = max(1, round(WIDTH * value / most))
            colour = OURS if name.startswith(ours) else OTHERS
            middle = y + ROW * 0.65
            parts.append(f'<text x="{LEFT - 8}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{LEFT}" y="{y + 3}" width="{width}" height="{ROW - 6}" rx="2" fill="{colour}"/>')
            parts.append(f'<text x="{LEFT + width + 6}" y="{middle:.0f}">{value:.1f}</text>')
            y += ROW
        y += GAP - ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{y}" '
        f'font-family="sans-serif" font-size="13" fill="{TEXT}">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
