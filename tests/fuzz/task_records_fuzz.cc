// Data sets of tasks: tables with commas and tabs, CoNLL's columns, SQuAD's JSON. The first byte chooses the format.
#include "atelier/data/task_records.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const char* formats[] = {"table", "table", "conll", "squad"};
  const int choice = data[0] % 4;
  const auto records =
      atelier::data::parse_task_records(atelier::fuzz::as_text(data + 1, size - 1), choice == 0 ? "x.csv" : "x.tsv", formats[choice], {});
  atelier::fuzz::check_refusal(records.status());
  return 0;
}
