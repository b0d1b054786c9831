// `atelier doctor [MODEL]`: this machine as the kernels see it, and what it can do at most for a model.
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/model_options.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/roofline.h"
#include "atelier/kernels/isa.h"
#include "atelier/kernels/measure.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"

namespace atelier::cli {
namespace {

constexpr int64_t kBatch = 16;  // sequences whose limit is shown beside that of one

struct DoctorArgs {
  ModelOptions model;
  bool is_quick = false;
};

// The text behind "key :" in a file of /proc, or "unknown".
std::string proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::string(trim_ascii(std::string_view(line).substr(line.find(':') + 1)));
  }
  return "unknown";
}

// A value of /proc/meminfo, "16384 kB", in bytes; 0 when unknown.
int64_t memory_bytes(const std::string& key) {
  const std::string text = proc_value("/proc/meminfo", key);
  return parse_int(text.substr(0, text.find(' '))).value_or(0) * 1024;
}

std::string memory_text(const std::string& key) { return human_bytes(static_cast<uint64_t>(memory_bytes(key))); }

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const kernels::Isa isa : kernels::supported_isas()) names.push_back(kernels::isa_name(isa));
  return names;
}

// Operations per second of a product of many rows with every type of weight, as --dtype auto computes it.
std::map<DType, double> measure_products(Console& console) {
  std::vector<DType> types = {DType::kF32, DType::kF16, DType::kBF16};
  for (const quant::BlockFormat* format : quant::block_formats()) types.push_back(format->dtype);
  Progress progress(console, "measuring", static_cast<int64_t>(types.size()));
  std::map<DType, double> rates;
  int64_t done = 0;
  for (const DType type : types) {
    progress.update(done++, dtype_name(type));
    rates[type] = kernels::measure_gemm(type, compute_for(type, Precision::kAuto));
  }
  return rates;
}

struct Diagnosis {
  MachineLimits limits;
  std::map<DType, double> products;  // empty: not measured
  std::unique_ptr<models::Model> model;
  Roofline empty, full;  // of the model with an empty cache, and with a full one
  Roofline batch;        // of kBatch sequences with empty ones
};

Json machine_json() {
  Json json = Json::object();
  json.set("cpu", proc_value("/proc/cpuinfo", "model name")).set("isa", kernels::isa_name(kernels::current_isa()));
  Json isas = Json::array();
  for (const std::string& name : isa_names()) isas.push_back(name);
  json.set("isas", std::move(isas)).set("cores", available_cores()).set("threads", num_threads());
  return json.set("memory_bytes", memory_bytes("MemTotal")).set("memory_available_bytes", memory_bytes("MemAvailable"));
}

void print_json(const Diagnosis& diagnosis, std::ostream& out) {
  Json json = machine_json();
  add_limits(json, diagnosis.limits);
  if (!diagnosis.products.empty()) {
    Json gemm = Json::object();
    for (const auto& [dtype, rate] : diagnosis.products) gemm.set(dtype_name(dtype), rate / 1e9);
    json.set("gemm_gops", std::move(gemm));
  }
  if (diagnosis.model) {
    Json model = Json::object().set("path", diagnosis.model->path());
    model.set("bytes_per_token", diagnosis.empty.bytes_per_step).set("operations_per_token", diagnosis.empty.operations_per_step);
    model.set("prefill_tok_s", diagnosis.empty.prefill_tok_s).set("decode_tok_s", diagnosis.empty.decode_tok_s);
    model.set("prefill_bound_by", bound_name(diagnosis.empty.prefill_bound))
        .set("decode_bound_by", bound_name(diagnosis.empty.decode_bound));
    model.set("decode_tok_s_full_context", diagnosis.full.decode_tok_s);
    model.set("decode_batch", kBatch).set("decode_tok_s_batch", diagnosis.batch.decode_tok_s);
    json.set("model", model.set("decode_batch_bound_by", bound_name(diagnosis.batch.decode_bound)));
  }
  out << json.dump() << "\n";
}

std::string limited_by(Bound bound) {
  return fmt::format("limited by {}", bound == Bound::kMemory ? "memory bandwidth" : std::string(bound_name(bound)) + " arithmetic");
}

void print_model(const Diagnosis& diagnosis, std::ostream& out) {
  const Roofline& limit = diagnosis.empty;
  out << fmt::format("\n{}\n", diagnosis.model->path());
  out << fmt::format("  a token reads {} and takes {:.1f} M operations\n", human_bytes(static_cast<uint64_t>(limit.bytes_per_step)),
                     limit.operations_per_step / 1e6);
  out << fmt::format("  decode   at most {:8.1f} tokens/s, {}\n", limit.decode_tok_s, limited_by(limit.decode_bound));
  out << fmt::format("           at most {:8.1f} tokens/s at the end of a context of {}, {}\n", diagnosis.full.decode_tok_s,
                     diagnosis.model->context(), limited_by(diagnosis.full.decode_bound));
  out << fmt::format("           at most {:8.1f} tokens/s of {} sequences together, {}\n", diagnosis.batch.decode_tok_s, kBatch,
                     limited_by(diagnosis.batch.decode_bound));
  out << fmt::format("  prefill  at most {:8.1f} tokens/s, {} (attention not counted)\n", limit.prefill_tok_s,
                     limited_by(limit.prefill_bound));
}

void print_products(const Diagnosis& diagnosis, std::ostream& out) {
  out << "products of many rows, by type of the weights, and their part of it:\n";
  for (const auto& [dtype, rate] : diagnosis.products) {
    const kernels::Compute compute = compute_for(dtype, Precision::kAuto);
    out << fmt::format("  {:<8} {:8.1f} Gop/s  {:3.0f}% of {}\n", dtype_name(dtype), rate / 1e9,
                       100 * rate / diagnosis.limits.peak.at(compute), compute_name(compute));
  }
}

void print_text(const Diagnosis& diagnosis, std::ostream& out) {
  out << fmt::format("cpu        {}\n", proc_value("/proc/cpuinfo", "model name"));
  out << fmt::format("isa        {} (this CPU has {}; ATELIER_ISA chooses)\n", kernels::isa_name(kernels::current_isa()),
                     join(isa_names(), ", "));
  out << fmt::format("cores      {} usable, {} threads\n", available_cores(), num_threads());
  out << fmt::format("memory     {}, {} available\n", memory_text("MemTotal"), memory_text("MemAvailable"));
  out << fmt::format("bandwidth  {:.1f} GB/s read\n", diagnosis.limits.bandwidth / 1e9);
  out << "arithmetic, on registers alone:\n";
  for (const auto& [compute, rate] : diagnosis.limits.peak) {
    out << fmt::format("  {:<8} {:8.1f} Gop/s\n", compute_name(compute), rate / 1e9);
  }
  if (!diagnosis.products.empty()) print_products(diagnosis, out);
  if (diagnosis.model) print_model(diagnosis, out);
}

Status run(const DoctorArgs& args, Console& console) {
  Diagnosis diagnosis;
  diagnosis.limits = measure_limits();
  if (!args.model.model.empty()) {
    ATELIER_TRY(diagnosis.model, args.model.load_to_look_at());
    diagnosis.empty = roofline(*diagnosis.model, diagnosis.limits, 0);
    diagnosis.batch = roofline(*diagnosis.model, diagnosis.limits, 0, kBatch);
    diagnosis.full = roofline(*diagnosis.model, diagnosis.limits, diagnosis.model->context());
  }
  if (!args.is_quick) diagnosis.products = measure_products(console);
  const auto print = console.is_json ? print_json : print_text;
  print(diagnosis, console.out);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<DoctorArgs>();
  options->model.declare(args, Args::Presence::kOptional);
  args.group("Options");
  args.flag("--quick", options->is_quick, "do not measure the types of weights one by one");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_doctor;
const CommandDef command_doctor = {"doctor", "look", "this machine, and what it can reach for a model",
                                   "atelier doctor smollm2-135m-instruct", declare};

}  // namespace atelier::cli
