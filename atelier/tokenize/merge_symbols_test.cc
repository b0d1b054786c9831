#include "atelier/tokenize/merge_symbols.h"

#include <gtest/gtest.h>

#include <random>

namespace atelier::tokenize {
namespace {

std::vector<Symbol> row(const std::vector<TokenId>& ids) {
  std::vector<Symbol> symbols;
  for (const TokenId id : ids) symbols.push_back({id, static_cast<uint32_t>(symbols.size()), static_cast<uint32_t>(symbols.size() + 1)});
  return symbols;
}

std::vector<TokenId> ids_of(const std::vector<Symbol>& symbols) {
  std::vector<TokenId> ids;
  for (const Symbol& symbol : symbols) ids.push_back(symbol.id);
  return ids;
}

TEST(merge_symbols, the_lowest_rank_goes_first_and_the_leftmost_among_equals) {
  // 1 1 -> 2 (rank 5), 2 1 -> 3 (rank 1)
  const auto find = [](const Symbol& left, const Symbol& right) -> Merge {
    if (left.id == 1 && right.id == 1) return {5, 2};
    if (left.id == 2 && right.id == 1) return {1, 3};
    return {};
  };
  std::vector<Symbol> symbols = row({1, 1, 1, 1, 1});
  merge_symbols(symbols, find);
  EXPECT_EQ(ids_of(symbols), (std::vector<TokenId>{3, 2}));
  EXPECT_EQ(symbols[0].end, 3u);
  EXPECT_EQ(symbols[1].begin, 3u);
}

TEST(merge_symbols, scanning_and_the_heap_give_the_same_row) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 300; ++trial) {
    const uint32_t salt = static_cast<uint32_t>(random());
    const auto find = [salt](const Symbol& left, const Symbol& right) -> Merge {
      const uint32_t mixed = (static_cast<uint32_t>(left.id) * 2654435761u ^ static_cast<uint32_t>(right.id) * 40503u ^ salt) % 97;
      return mixed < 40 ? Merge{mixed, static_cast<TokenId>(mixed % 11)} : Merge{};
    };
    std::vector<TokenId> ids(1 + random() % detail::kScanLimit);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % 11);
    std::vector<Symbol> scanned = row(ids), queued = row(ids);
    if (ids.size() > 1) detail::merge_by_scanning(scanned, find);
    detail::HeapMerger(queued, find).run();
    ASSERT_EQ(ids_of(scanned), ids_of(queued));
  }
}

}  // namespace
}  // namespace atelier::tokenize
