// report.html: a run on one page that needs no network, its curves drawn as SVG.
#pragma once

#include <string>
#include <vector>

#include "atelier/base/json.h"

namespace atelier::train {

// From the lines of log.jsonl and the recipe's YAML.
std::string report_html(const std::string& name, const std::vector<Json>& log, const std::string& config);

}  // namespace atelier::train
