#include "atelier/train/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atelier/base/strings.h"
#include "atelier/train/answers.h"

namespace atelier::train {
namespace {

constexpr double kWidth = 720, kHeight = 260, kLeft = 60, kTop = 16, kRight = 16, kBottom = 34;
constexpr size_t kMostPoints = 1000;

struct Point {
  double x, y;
};
struct Curve {
  const char* name;
  const char* color;
  std::vector<Point> points;
};

std::string escaped(std::string text) {
  replace_all(text, "&", "&amp;");
  replace_all(text, "<", "&lt;");
  replace_all(text, ">", "&gt;");
  return text;
}

std::vector<Point> points_of(const std::vector<Json>& log, const char* key) {
  std::vector<Point> points;
  for (const Json& line : log) {
    const Json *step = line.find("step"), *value = line.find(key);
    if (step && step->is_number() && value && value->is_number()) points.push_back({step->as_double(), value->as_double()});
  }
  return points;
}

// Means of neighbours, so that a long run stays a small page.
std::vector<Point> thinned(const std::vector<Point>& points) {
  const size_t group = (points.size() + kMostPoints - 1) / kMostPoints;
  if (group <= 1) return points;
  std::vector<Point> out;
  for (size_t begin = 0; begin < points.size(); begin += group) {
    const size_t end = std::min(points.size(), begin + group);
    Point mean{0, 0};
    for (size_t i = begin; i < end; ++i) mean = {mean.x + points[i].x, mean.y + points[i].y};
    const auto count = static_cast<double>(end - begin);
    out.push_back({mean.x / count, mean.y / count});
  }
  return out;
}

struct Box {
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  double left(double x) const { return kLeft + (x1 > x0 ? (x - x0) / (x1 - x0) : 0.5) * (kWidth - kLeft - kRight); }
  double top(double y) const { return kTop + (y1 > y0 ? (y1 - y) / (y1 - y0) : 0.5) * (kHeight - kTop - kBottom); }
};

std::string axes(const Box& box) {
  std::string svg;
  for (int i = 0; i <= 4; ++i) {
    const double y = box.y0 + (box.y1 - box.y0) * i / 4, x = box.x0 + (box.x1 - box.x0) * i / 4;
    svg += fmt::format("<line x1='{}' x2='{}' y1='{:.1f}' y2='{:.1f}' class='grid'/><text x='{}' y='{:.1f}' class='y'>{:.4g}</text>", kLeft,
                       kWidth - kRight, box.top(y), box.top(y), kLeft - 6, box.top(y) + 4, y);
    svg += fmt::format("<text x='{:.1f}' y='{}' class='x'>{:.0f}</text>", box.left(x), kHeight - kBottom + 18, x);
  }
  return svg;
}

std::string chart(const char* title, const std::vector<Curve>& curves) {
  Box box;
  for (const Curve& curve : curves) {
    for (const Point& p : curve.points) {
      box = {std::min(box.x0, p.x), std::max(box.x1, p.x), std::min(box.y0, p.y), std::max(box.y1, p.y)};
    }
  }
  if (box.x0 > box.x1) return "";
  std::string svg =
      fmt::format("<h2>{}</h2><svg viewBox='0 0 {} {}' role='img' aria-label='{}'>", title, kWidth, kHeight, title) + axes(box);
  std::string legend;
  for (const Curve& curve : curves) {
    if (curve.points.empty()) continue;
    std::string line;
    for (const Point& p : curve.points) line += fmt::format("{:.1f},{:.1f} ", box.left(p.x), box.top(p.y));
    svg += fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='1.5'/>", line, curve.color);
    legend += fmt::format("<span style='color:{}'>&#9644; {} {:.4g}</span> ", curve.color, curve.name, curve.points.back().y);
  }
  return svg + "</svg><p class='legend'>" + legend + "</p>";
}

std::string samples(const std::vector<Json>& log) {
  std::string html;
  for (const Json& line : log) {
    const Json* text = line.find("sample");
    if (!text || !text->is_string()) continue;
    html += fmt::format("<h3>Step {}</h3><pre>{}</pre>", line.find("step")->dump(), escaped(text->as_string()));
  }
  return html.empty() ? "" : "<h2>Samples</h2>" + html;
}

std::string cell(const std::string& text) { return "<td><pre>" + escaped(text) + "</pre></td>"; }

// What was asked, and what the model said of it before and after.
std::string answers(const std::vector<Json>& log) {
  const std::vector<ComparedAnswer> compared = compared_answers(log);
  if (compared.empty()) return "";
  std::string html = "<h2>Held-out questions</h2><table><tr><th>question</th><th>expected</th><th>before</th><th>after</th></tr>";
  for (const ComparedAnswer& answer : compared) {
    html += "<tr>" + cell(answer.question) + cell(answer.expected) + cell(answer.before) + cell(answer.after) + "</tr>";
  }
  return html + "</table>";
}

std::string losses(const std::vector<Json>& log) {
  const std::vector<Point> points = points_of(log, "validation_loss");
  if (points.empty()) return "";
  const Point best = *std::ranges::min_element(points, {}, &Point::y);
  std::string html = "<p>Held-out loss: ";
  if (points.front().x == 0) html += fmt::format("{:.4f} before, ", points.front().y);
  return html + fmt::format("{:.4f} at best (step {:.0f}), {:.4f} at the end.</p>", best.y, best.x, points.back().y);
}

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#1d2430;background:#fff}"
    "h1{font-size:1.5em}h2{font-size:1.1em;margin:1.6em 0 .4em}svg{width:100%;height:auto}.grid{stroke:#dde3ea}"
    "text{font-size:11px;fill:#5a6675}.y{text-anchor:end}.x{text-anchor:middle}.legend{margin:.2em 0}"
    "pre{background:#f4f6f8;padding:.8em;overflow:auto;white-space:pre-wrap}table{width:100%;table-layout:fixed;border-spacing:.4em 0}"
    "td{vertical-align:top}th{text-align:left}td pre{font-size:.8em;margin:.2em 0;padding:.5em}";

}  // namespace

std::string report_html(const std::string& name, const std::vector<Json>& log, const std::string& config) {
  std::string html = fmt::format("<!doctype html><html lang='en'><meta charset='utf-8'><title>{0}</title><style>{1}</style><h1>{0}</h1>",
                                 escaped(name), kStyle);
  html += losses(log);
  html += chart("Loss by step",
                {{"training", "#8fb3d9", thinned(points_of(log, "loss"))}, {"validation", "#c2410c", points_of(log, "validation_loss")}});
  html += chart("Learning rate", {{"learning rate", "#15803d", thinned(points_of(log, "learning_rate"))}});
  html += chart("Norm of the gradients", {{"norm", "#7c3aed", thinned(points_of(log, "gradient_norm"))}});
  html += chart("Tokens per second", {{"tokens/s", "#0e7490", thinned(points_of(log, "tokens_per_s"))}});
  html += answers(log) + samples(log) + "<h2>Recipe</h2><pre>" + escaped(config) + "</pre></html>\n";
  return html;
}

}  // namespace atelier::train
