#include "atelier/tokenize/word_cache.h"

#include <bit>
#include <cstring>
#include <new>

namespace atelier::tokenize {
namespace {

static_assert(std::endian::native == std::endian::little, "keys are masked as little-endian words");
static_assert(sizeof(WordCache::Entry) == 64, "an entry is a cache line");

// By length: ones where the word's bytes are.
constexpr std::array<WordCache::Key, WordCache::kMaxBytes + 1> make_masks() {
  std::array<WordCache::Key, WordCache::kMaxBytes + 1> masks{};
  for (size_t length = 0; length < masks.size(); ++length) {
    for (size_t byte = 0; byte < length; ++byte) masks[length][byte / 8] |= uint64_t{0xFF} << (8 * (byte % 8));
  }
  return masks;
}
constexpr auto kMasks = make_masks();

// A number for the calling thread, counted up from 0.
size_t thread_number() {
  static std::atomic<size_t> next{0};
  thread_local const size_t kNumber = next.fetch_add(1, std::memory_order_relaxed);
  return kNumber;
}

}  // namespace

WordCache::Key WordCache::key_of(std::string_view text, Span range) {
  const size_t length = range.end - range.begin;
  Key key{};
  if (range.begin + sizeof key <= text.size()) {
    std::memcpy(key.data(), text.data() + range.begin, sizeof key);
    for (size_t i = 0; i < key.size(); ++i) key[i] &= kMasks[length][i];
  } else {
    std::memcpy(key.data(), text.data() + range.begin, length);
  }
  key[3] |= uint64_t{length} << 56;
  return key;
}

// calloc: pages that are not touched take no memory.
WordCache::WordCache() : memory_(std::calloc(kNumEntries + 1, sizeof(Entry))) {
  if (memory_ == nullptr) throw std::bad_alloc();
  void* aligned = memory_.get();
  size_t space = (kNumEntries + 1) * sizeof(Entry);
  entries_ = static_cast<Entry*>(std::align(alignof(Entry), kNumEntries * sizeof(Entry), aligned, space));
}

void WordCache::insert(const Key& key, std::span<const ModelToken> tokens) {
  if (tokens.size() > kMaxTokens) return;
  Entry* places = &entries_[2 * set_of(key)];
  Entry& entry = is_same(places[0].key, Key{}) ? places[0] : places[1];
  entry.key = key;
  entry.num_tokens = static_cast<uint8_t>(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    entry.ids[i] = tokens[i].id;
    entry.begins[i] = static_cast<uint8_t>(tokens[i].begin);
    entry.ends[i] = static_cast<uint8_t>(tokens[i].end);
  }
}

WordCaches::~WordCaches() {
  for (const auto& place : places_) delete place.load();
}

WordCaches::Lease::Lease(WordCaches& caches) : place_(caches.places_[thread_number() % kPlaces]), cache_(place_.exchange(nullptr)) {
  if (cache_ == nullptr) cache_ = std::make_unique<WordCache>();
}

WordCaches::Lease::~Lease() {
  cache_.reset(place_.exchange(cache_.release()));  // what another thread has put there meanwhile is dropped
}

}  // namespace atelier::tokenize
