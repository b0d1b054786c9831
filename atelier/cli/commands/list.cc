// `atelier list TABLE`: what there is to choose from; `list` alone names the tables.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/command.h"
#include "atelier/data/objective.h"
#include "atelier/generate/sampler.h"
#include "atelier/kernels/isa.h"
#include "atelier/models/arch.h"
#include "atelier/models/store.h"
#include "atelier/nn/heads.h"
#include "atelier/optim/optimizer.h"
#include "atelier/quant/quant.h"
#include "atelier/tokenize/trainer.h"

namespace atelier::cli {
namespace {

struct Row {
  std::string name, summary, more;  // `more`: paper, path, …
};

std::vector<Row> architectures() {
  std::vector<Row> rows;
  for (const models::ArchDef* arch : models::architectures()) rows.push_back({arch->name, arch->summary, arch->paper});
  return rows;
}

std::vector<Row> heads() {
  std::vector<Row> rows;
  for (const nn::HeadDef& head : nn::heads()) rows.push_back({head.name, head.summary, head.source});
  return rows;
}

std::vector<Row> objectives() {
  std::vector<Row> rows;
  for (const data::ObjectiveDef* objective : data::objectives()) rows.push_back({objective->name, objective->summary, objective->source});
  return rows;
}

std::vector<Row> samplers() {
  std::vector<const generate::SamplerDef*> defs(generate::samplers().begin(), generate::samplers().end());
  std::sort(defs.begin(), defs.end(), [](const auto* a, const auto* b) { return a->order < b->order; });
  std::vector<Row> rows;
  rows.reserve(defs.size());
  for (const generate::SamplerDef* sampler : defs) rows.push_back({sampler->name, sampler->summary, sampler->source});
  return rows;
}

std::vector<Row> quantizations() {
  std::vector<Row> rows;
  for (const quant::BlockFormat* format : quant::block_formats()) rows.push_back({dtype_name(format->dtype), format->summary, ""});
  return rows;
}

std::vector<Row> optimizers() {
  std::vector<Row> rows;
  for (const optim::OptimizerDef* optimizer : optim::optimizers()) rows.push_back({optimizer->name, optimizer->summary, optimizer->source});
  return rows;
}

std::vector<Row> stored() {
  std::vector<Row> rows;
  for (const models::StoredModel& model : models::stored_models()) {
    rows.push_back(
        {model.name, model.alias_of.empty() ? human_bytes(static_cast<uint64_t>(model.bytes)) : "is " + model.alias_of, model.path});
  }
  return rows;
}

std::vector<Row> instruction_sets() {
  std::vector<Row> rows;
  for (const kernels::Isa isa : kernels::supported_isas()) {
    rows.push_back({kernels::isa_name(isa), isa == kernels::current_isa() ? "in use" : "this CPU has it", ""});
  }
  return rows;
}

std::vector<Row> trainers() {
  std::vector<Row> rows;
  for (const tokenize::TrainerDef* trainer : tokenize::trainers()) rows.push_back({trainer->name, trainer->summary, trainer->source});
  return rows;
}

std::vector<Row> verbs() {
  std::vector<Row> rows;
  for (const CommandDef* command : commands()) rows.push_back({command->name, command->summary, command->example});
  return rows;
}

struct Table {
  const char* name;
  const char* summary;
  std::vector<Row> (*rows)();
};

constexpr Table kTables[] = {
    {"architectures", "model families that load and run", architectures},
    {"heads", "what stands behind an encoder for a task", heads},
    {"isas", "instruction sets of this CPU that kernels exist for (ATELIER_ISA)", instruction_sets},
    {"models", "the model store", stored},
    {"objectives", "what models learn from running text", objectives},
    {"optimizers", "what training moves weights with", optimizers},
    {"quantizations", "block formats of weights", quantizations},
    {"samplers", "in the order in which they run", samplers},
    {"trainers", "kinds of tokenizers that can be trained", trainers},
    {"verbs", "what atelier can do", verbs},
};

void print(const std::vector<Row>& rows, Console& console) {
  if (console.is_json) {
    Json array = Json::array();
    for (const Row& row : rows) {
      Json entry = Json::object().set("name", row.name).set("summary", row.summary);
      if (!row.more.empty()) entry.set("details", row.more);
      array.push_back(std::move(entry));
    }
    console.out << Json::object().set("rows", std::move(array)).dump() << "\n";
    return;
  }
  size_t name_width = 0, summary_width = 0;
  for (const Row& row : rows) {
    name_width = std::max(name_width, row.name.size());
    summary_width = std::max(summary_width, row.summary.size());
  }
  for (const Row& row : rows) {
    std::string line = fmt::format("{:<{}}  {:<{}}  {}", row.name, name_width, row.summary, summary_width, row.more);
    line.resize(line.find_last_not_of(' ') + 1);
    console.out << line << "\n";
  }
}

Status run(const std::string& name, Console& console) {
  std::vector<std::string> names;
  std::vector<Row> tables;
  for (const Table& table : kTables) {
    names.push_back(table.name);
    tables.push_back({table.name, table.summary, ""});
    if (name == table.name) {
      print(table.rows(), console);
      return {};
    }
  }
  if (name.empty()) {
    print(tables, console);
    return {};
  }
  const std::string nearest = nearest_name(name, names);
  return Status::invalid(fmt::format("table: {}, must be {}; {}", atelier::quoted(name), join(names, ", "),
                                     nearest.empty() ? "choose one" : "did you mean " + nearest + "?"));
}

CommandBody declare(Args& args) {
  auto table = std::make_shared<std::string>();
  args.positional(
      "TABLE", *table,
      "architectures, heads, isas, models, objectives, optimizers, quantizations, samplers, trainers or verbs (default: their list)",
      Args::Presence::kOptional);
  return [table](Console& console) { return run(*table, console); };
}

}  // namespace

extern const CommandDef command_list;
const CommandDef command_list = {"list", "look", "what is in a table: models, architectures, samplers, …", "atelier list models", declare};

}  // namespace atelier::cli
