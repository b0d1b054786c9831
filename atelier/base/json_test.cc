#include "atelier/base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "atelier/base/error.h"

namespace atelier {
namespace {

Json parsed(const std::string& text) { return Json::parse(text, "test").value(); }
std::string refusal(const std::string& text) { return Json::parse(text, "test").status().message(); }

TEST(Json, KindsAreKept) {
  const Json json = parsed(R"({"a": null, "b": true, "c": 3, "d": 3.0, "e": "x", "f": [1], "g": {}})");
  EXPECT_TRUE(json.find("a")->is_null());
  EXPECT_TRUE(json.find("b")->as_bool());
  EXPECT_TRUE(json.find("c")->is_int());
  EXPECT_FALSE(json.find("d")->is_int());
  EXPECT_TRUE(json.find("d")->is_number());
  EXPECT_EQ(json.find("e")->as_string(), "x");
  EXPECT_EQ(json.find("f")->as_array().size(), 1u);
  EXPECT_TRUE(json.find("g")->is_object());
  EXPECT_EQ(json.find("h"), nullptr);
}

TEST(Json, IntegersReachInt64AndBecomeDoublesAbove) {
  EXPECT_EQ(parsed("9223372036854775807").as_int(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(parsed("-9223372036854775808").as_int(), std::numeric_limits<int64_t>::min());
  EXPECT_FALSE(parsed("9223372036854775808").is_int());
  EXPECT_EQ(parsed("9223372036854775808").as_double(), 0x1p63);
  EXPECT_EQ(parsed("100000000000000000000").as_double(), 1e20);
}

TEST(Json, ARepeatedKeyKeepsItsFirstPlaceAndItsLastValue) {
  const Json json = parsed(R"({"a": 1, "b": 2, "a": 3, "c": {"x": 1, "x": 2}, "b": 4})");
  EXPECT_EQ(json.dump(), R"({"a": 3, "b": 4, "c": {"x": 2}})");
}

TEST(Json, RepeatedKeysOfLargeObjectsAreFoundInLinearTime) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"k" + std::to_string(i % 150'000) + "\":" + std::to_string(i) + ",";
  text.back() = '}';
  const Json json = parsed(text);
  EXPECT_EQ(json.as_object().size(), 150'000u);
  EXPECT_EQ(json.as_object()[0].second.as_int(), 150'000);
}

TEST(Json, DepthIsLimitedWhileParsing) {
  const auto nested = [](int depth) { return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']'); };
  EXPECT_TRUE(Json::parse(nested(128), "test").ok());
  EXPECT_EQ(Json::parse(nested(129), "test").status().code(), StatusCode::kOutOfRange);
  EXPECT_TRUE(Json::parse(nested(3), "test", 3).ok());
  EXPECT_FALSE(Json::parse(nested(4), "test", 3).ok());
  EXPECT_EQ(Json::parse(std::string(1'000'000, '['), "test").status().code(), StatusCode::kOutOfRange) << "and not end of input";
  EXPECT_EQ(Json::parse(R"({"a":{"a":{"a":{}}}})", "test", 3).status().code(), StatusCode::kOutOfRange);
}

TEST(Json, BadTextIsRefusedWithLineAndColumn) {
  EXPECT_EQ(refusal("{\n \"a\": 1,\n \"b\" 2}").substr(0, 37), "test: not JSON at line 3, column 6: u");
  for (const char* text :
       {"", " ", "nul", "[1,]", "{\"a\":}", "[NaN]", "[Infinity]", "1 2", "'a'", "{a:1}", "[1", "\"\\x\"", "01", "1e999"}) {
    EXPECT_EQ(Json::parse(text, "test").status().code(), StatusCode::kCorrupt) << text;
  }
}

TEST(Json, InvalidUtf8IsRefusedAndShownHarmlessly) {
  const std::string message = refusal("\"ab\xff\"");
  EXPECT_NE(message.find("UTF-8"), std::string::npos) << message;
  EXPECT_EQ(message.find('\xff'), std::string::npos);
  EXPECT_FALSE(Json::parse("\"\xed\xa0\x80\"", "test").ok()) << "a surrogate in UTF-8";
  EXPECT_FALSE(Json::parse("\"\\ud800\"", "test").ok()) << "half a pair";
  EXPECT_EQ(parsed("\"\\ud83d\\ude00\"").as_string(), "\xf0\x9f\x98\x80");
}

TEST(Json, ErrorLinesStayShortForLongTokens) { EXPECT_LT(refusal("[" + std::string(100'000, 'a')).size(), 300u); }

TEST(Json, DoublesPrintTheShortestTextThatReadsBackTheSame) {
  EXPECT_EQ(Json(0.1).dump(), "0.1");
  EXPECT_EQ(Json(1.0).dump(), "1.0");
  EXPECT_EQ(Json(-0.0).dump(), "-0.0");
  EXPECT_EQ(Json(1e300).dump(), "1e+300");
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  for (const double d : {0.1 + 0.2, 1.0 / 3, 5e-324, std::numeric_limits<double>::max(), 123456789012345680.0, 1e22}) {
    const Json back = parsed(Json(d).dump());
    EXPECT_EQ(back, Json(d)) << "kind and value of " << Json(d).dump();
  }
}

TEST(Json, StringsAreEscapedAndInvalidBytesReplaced) {
  EXPECT_EQ(Json("a\"\\\n\t\x01é\x7f").dump(), "\"a\\\"\\\\\\n\\t\\u0001é\x7f\"");
  EXPECT_EQ(Json("a\xff").dump(), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(Json(std::string("a\0b", 3)).dump(), "\"a\\u0000b\"");
}

TEST(Json, DumpAndParseAreInverse) {
  const std::string text = R"({"a": [1, 2.5, "x", null, true, []], "b": {"c": {}, "d": {"e": -7}}})";
  const Json json = parsed(text);
  EXPECT_EQ(json.dump(), text);
  EXPECT_EQ(parsed(json.dump(2)), json);
  EXPECT_EQ(Json(Json::Array{1, Json::object()}).dump(1), "[\n 1,\n {}\n]");
}

TEST(Json, GettersNameTheKeyAndWhatWasFound) {
  const Json json = parsed(R"({"width": "x", "layers": 3.0, "ratio": 3.5, "none": null, "list": [1, 2]})");
  EXPECT_EQ(json.get_int("width").status().message(), "width: is \"x\", want an integer");
  EXPECT_EQ(json.get_int("ratio").status().message(), "ratio: is 3.5, want an integer");
  EXPECT_EQ(json.get_string("list").status().message(), "list: is an array of 2, want a string");
  EXPECT_EQ(json.get_int("depth").status().message(), "depth: missing, want an integer");
  EXPECT_EQ(json.get_int("depth").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(json.get_int("layers").value(), 3) << "3.0 is an integer";
  EXPECT_EQ(json.get_double("layers").value(), 3.0);
}

TEST(Json, FallbacksStandForAbsentAndNullButNotForWrongKinds) {
  const Json json = parsed(R"({"width": "x", "none": null, "huge": 1e300})");
  EXPECT_EQ(json.get_int("depth", 7).value(), 7);
  EXPECT_EQ(json.get_int("none", 7).value(), 7);
  EXPECT_FALSE(json.get_int("width", 7).ok());
  EXPECT_FALSE(json.get_int("huge", 7).ok());
  EXPECT_EQ(json.get_string("none", "y").value(), "y");
  EXPECT_TRUE(json.get_bool("depth", true).value());
}

TEST(Json, SetReplacesInPlaceAndPushBackAppends) {
  Json json;
  json.set("a", 1).set("b", "x").set("a", Json().push_back(2).push_back(3));
  EXPECT_EQ(json.dump(), R"({"a": [2, 3], "b": "x"})");
}

TEST(Json, ReadingTheWrongKindIsABugAndThrows) {
  EXPECT_THROW(Json("x").as_int(), InternalError);
  EXPECT_THROW(Json(1).as_string(), InternalError);
  EXPECT_THROW(Json(1.5).as_int(), InternalError);
  EXPECT_EQ(Json(2).as_double(), 2.0);
}

}  // namespace
}  // namespace atelier
