// Data sets' formats as records, and rows in memory that come once an epoch.
#include "atelier/data/task_records.h"

#include <gtest/gtest.h>

#include <set>

#include "atelier/data/kept_rows.h"
#include "tests/support/json_at.h"

namespace atelier::data {
namespace {

using testing::at;

std::vector<Json> parse(const std::string& text, const std::string& name, const std::string& format,
                        const std::vector<std::string>& columns = {}) {
  const auto records = parse_task_records(text, name, format, columns);
  EXPECT_TRUE(records.ok()) << records.status().message();
  return records.ok() ? *records : std::vector<Json>();
}

TEST(TaskRecords, OfTabsTakeTextAsItIs) {
  const auto records = parse("gj04\t1\t\tHe said \"no\".\r\ngj04\t0\t*\tIt, too\n\n", "x.tsv", "table", {"", "label", "", "text"});
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].dump(), R"({"label": "1", "text": "He said \"no\"."})");
  EXPECT_EQ(at(records[1], {"text"}).as_string(), "It, too");
}

TEST(TaskRecords, OfCommasHaveQuotesAndNamesInTheFirstLine) {
  const auto records = parse("text,label\n\"a, \"\"b\"\"\nc\",1\nd,2", "x.csv", "table");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(at(records[0], {"text"}).as_string(), "a, \"b\"\nc");
  EXPECT_EQ(at(records[1], {"label"}).as_string(), "2");
}

TEST(TaskRecords, OfConllEndAtEmptyLines) {
  const auto records = parse("-DOCSTART- -X- O\n\nMarie NNP B-PER\nCurie NNP I-PER\n\n\nParis\tB-LOC", "x.conll", "conll");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].dump(), R"({"words": ["Marie", "Curie"], "tags": ["B-PER", "I-PER"]})");
  EXPECT_EQ(at(records[1], {"tags", "0"}).as_string(), "B-LOC");
}

TEST(TaskRecords, OfSquadAreQuestions) {
  const char* text = R"({"data": [{"title": "T", "paragraphs": [{"context": "It is red.", "qas": [
    {"id": "1", "question": "What colour?", "answers": [{"text": "red", "answer_start": 6}]},
    {"id": "2", "question": "Is it?", "answers": [{"text": "It is", "answer_start": 0}]}]}]}]})";
  const auto records = parse(text, "x.json", "squad");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(at(records[1], {"question"}).as_string(), "Is it?");
  EXPECT_EQ(at(records[0], {"answers", "0", "text"}).as_string(), "red");
}

TEST(TaskRecords, WhatDoesNotFitIsNamedWithItsLine) {
  const auto error = [](const std::string& text, const std::string& name, const std::string& format) {
    return parse_task_records(text, name, format, {"text", "label"}).status().message();
  };
  EXPECT_EQ(error("a\t1\nb\n", "x.tsv", "table"), "x.tsv: row 2 has 1 columns, data.columns 2");
  EXPECT_EQ(error("a,1\n\"b,1\n", "x.csv", "table"), "x.csv: line 2: a quote is not closed");
  EXPECT_EQ(error("Paris B-LOC\nalone\n", "x", "conll"), "x: line 2 has a word and no tag");
  EXPECT_EQ(error("{\"data\": 3}", "x", "squad"), "x: \"data\" is missing, must be an array");
}

TEST(KeptRows, ComeOnceAnEpochAndGoOnWhereTheyWere) {
  std::vector<RowPart> parts(1);
  for (int32_t i = 0; i < 5; ++i) {
    Row row;
    row.append(Example{{i}, {kIgnoredLabel}}, 0);
    row.append(Example{{i}, {kIgnoredLabel}}, 0);
    parts[0].rows.push_back(row);
  }
  const auto source = kept_rows(parts, 3), again = kept_rows(parts, 3);
  std::set<int32_t> seen;
  std::set<uint64_t> numbers;
  for (int i = 0; i < 5; ++i) {
    const Row row = source->next().value();
    seen.insert(row.ids[0]);
    numbers.insert(row.samples.begin(), row.samples.end());
  }
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_EQ(numbers.size(), 10u);  // each document has a dropout of its own
  ASSERT_TRUE(again->restore(source->cursor()).ok());
  EXPECT_EQ(again->next().value().ids, source->next().value().ids);
}

TEST(Rows, ThatAreJoinedKeepSegmentsInTheirPlaces) {
  Row one, pair;
  one.append(Example{{1, 2}, {0, 0}}, 0);
  pair.append(Example{{3, 4}, {0, 0}}, 1);
  pair.segments = {0, 1};
  one.append(pair);
  one.append(Row(one));
  EXPECT_EQ(one.segments, (std::vector<int32_t>{0, 0, 0, 1, 0, 0, 0, 1}));
}

}  // namespace
}  // namespace atelier::data
