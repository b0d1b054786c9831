#include "atelier/serve/schema_check.h"

#include <gtest/gtest.h>

namespace atelier::serve {
namespace {

Json json(const std::string& text) { return Json::parse(text, "test").value(); }

// The path and message of the fault, or "".
std::string fault(const std::string& value, const std::string& schema, const std::string& document = "{}") {
  const auto found = check_schema(json(value), json(schema), json(document));
  return found ? found->message : "";
}

TEST(SchemaCheck, NamesWhereAndWhat) {
  const std::string schema = R"({"type": "object", "required": ["a"], "properties": {
      "a": {"type": "array", "items": {"type": "object", "properties": {"b": {"enum": ["x", "y"]}}}}, "c": {"type": "integer", "minimum": 1, "maximum": 3}}})";
  EXPECT_EQ(fault(R"({"a": [{"b": "x"}], "more": 1})", schema), "");
  EXPECT_EQ(fault(R"({})", schema), "a: is missing, it is needed");
  EXPECT_EQ(fault(R"([])", schema), "the body: is an array, must be an object");
  EXPECT_EQ(fault(R"({"a": [{}, {"b": "z"}]})", schema), R"(a[1].b: is "z", must be one of "x", "y")");
  EXPECT_EQ(fault(R"({"a": [], "c": 2.5})", schema), "c: is 2.5, must be an integer");
  EXPECT_EQ(fault(R"({"a": [], "c": 2.0})", schema), "");
  EXPECT_EQ(fault(R"({"a": [], "c": 1e300})", schema), "c: is 1e+300, must be an integer");
  EXPECT_EQ(fault(R"({"a": [], "c": 4})", schema), "c: is 4, must be at most 3");
  EXPECT_EQ(fault(R"({"a": [], "c": null})", schema), "");
  EXPECT_EQ(fault(R"({"a": null})", schema), "a: is null, must be an array");
}

TEST(SchemaCheck, AlternativesTellWhatWasMeant) {
  const std::string schema =
      R"({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "array", "maxItems": 2, "items": {"type": "integer"}}]})";
  EXPECT_EQ(fault(R"("abc")", schema), "");
  EXPECT_EQ(fault(R"([1, 2])", schema), "");
  EXPECT_EQ(fault(R"([1, "x"])", schema), R"([1]: is "x", must be an integer)");
  EXPECT_EQ(fault(R"(true)", schema), "the body: is true, must be a string or an array");
  EXPECT_NE(fault(R"("abcd")", schema), "");
  EXPECT_EQ(fault(R"("äöü")", schema), "");  // characters, not bytes
}

TEST(SchemaCheck, FollowsReferencesAndOthers) {
  const std::string document = R"({"components": {"n": {"type": "number", "exclusiveMinimum": 0}}})";
  const std::string schema = R"({"type": "object", "additionalProperties": {"$ref": "#/components/n"}})";
  EXPECT_EQ(fault(R"({"a": 1, "b": 0.5})", schema, document), "");
  EXPECT_EQ(fault(R"({"a": 1, "b": 0})", schema, document), "b: is 0, must be above 0");
}

TEST(SchemaCheck, UnknownKeywordsAreNoticed) {
  EXPECT_TRUE(check_keywords(json(R"({"type": "object", "properties": {"pattern": {"type": "string"}}})")).ok());
  EXPECT_FALSE(check_keywords(json(R"({"type": "object", "properties": {"a": {"pattern": "x"}}})")).ok());
}

}  // namespace
}  // namespace atelier::serve
