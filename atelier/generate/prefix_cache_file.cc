// The prefix cache on disk (docs/formats/prefix-cache.md): numbers are little-endian.
//
//   8 bytes  "ATLRKV3\n"
//   string   identity: u64 length, then its bytes
//   u64      bytes of a page
//   u64      number of pages
//   per page, most recently used first, parents before their children:
//     string   root, 64 hexadecimal digits
//     u32      index of the parent + 1; 0: none
//     u32      number of tokens, then as many i32
//   the pages' bytes, in the same order
//   u64      XXH64 of what stands before the pages; with that as the seed, of the first page; with that, of the second; and so on
#include <fmt/format.h>

#include <cstring>
#include <unordered_map>

#include "atelier/base/hash.h"
#include "atelier/base/strings.h"
#include "atelier/format/byte_reader.h"
#include "atelier/generate/prefix_cache.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/mapped_file.h"

namespace atelier::generate {
namespace {

using nn::kPageTokens;

constexpr std::string_view kMagic = "ATLRKV3\n";
constexpr size_t kRootDigits = 64;

void put(std::string& out, const void* data, size_t count) { out.append(static_cast<const char*>(data), count); }

template <typename T>
void put(std::string& out, T value) {
  put(out, &value, sizeof value);
}

void put_string(std::string& out, std::string_view text) {
  put(out, static_cast<uint64_t>(text.size()));
  out += text;
}

// A page's record as it stands in the file.
struct Record {
  std::string root;
  uint32_t parent = 0;  // index + 1
  std::vector<int32_t> tokens;
};

Status damaged(const std::string& path, const char* what) {
  return Status::corrupt(fmt::format("prefix cache: {} {}; delete it, it will be made anew", path, what));
}

// The records, checked against each other: nothing when they break the format.
std::optional<std::vector<Record>> read_records(format::ByteReader& reader, uint64_t count) {
  std::vector<Record> records;
  for (uint64_t i = 0; i < count; ++i) {
    const auto root = reader.take_string();
    const auto parent = reader.take<uint32_t>(), num_tokens = reader.take<uint32_t>();
    if (!root || root->size() != kRootDigits || !parent || !num_tokens || *num_tokens < 1 || *num_tokens > kPageTokens) return std::nullopt;
    if (*parent > i) return std::nullopt;
    if (*parent > 0 && (records[*parent - 1].tokens.size() != kPageTokens || records[*parent - 1].root != *root)) return std::nullopt;
    const auto bytes = reader.take_bytes(*num_tokens * sizeof(int32_t));
    if (!bytes) return std::nullopt;
    Record record{std::string(*root), *parent, std::vector<int32_t>(*num_tokens)};
    std::memcpy(record.tokens.data(), bytes->data(), bytes->size());
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

Status PrefixCache::save(const std::string& path, const std::string& identity) const {
  std::string head(kMagic);
  put_string(head, identity);
  put(head, static_cast<uint64_t>(pool_->layout().page_bytes()));
  put(head, static_cast<uint64_t>(nodes_.size()));
  std::unordered_map<const Node*, uint32_t> places;  // index + 1
  for (const Node& node : nodes_) {
    put_string(head, *node.root);
    put(head, node.parent ? places.at(node.parent) : uint32_t{0});
    put(head, static_cast<uint32_t>(node.tokens.size()));
    put(head, node.tokens.data(), node.tokens.size() * sizeof(int32_t));
    places.emplace(&node, static_cast<uint32_t>(places.size() + 1));
  }
  ATELIER_TRY(io::AtomicFile file, io::AtomicFile::create(path));
  ATELIER_RETURN_IF_ERROR(file.write(head));
  uint64_t hash = hash_values(std::span<const char>(head));
  for (const Node& node : nodes_) {
    const std::span<const uint8_t> page(pool_->data(node.page), static_cast<size_t>(pool_->layout().page_bytes()));
    ATELIER_RETURN_IF_ERROR(file.write(page.data(), page.size()));
    hash = hash_bytes(page, hash);
  }
  ATELIER_RETURN_IF_ERROR(file.write(&hash, sizeof hash));
  return file.commit();
}

Status PrefixCache::restore(const std::string& path, const std::string& identity) {
  ATELIER_TRY(const auto file, io::MappedFile::open(path));
  const std::span<const uint8_t> bytes = file->bytes();
  if (!file->text().starts_with(kMagic)) return damaged(path, "is no prefix cache of this version");
  format::ByteReader reader(bytes.subspan(kMagic.size()));
  const auto found_identity = reader.take_string();
  if (!found_identity) return damaged(path, "is cut off");
  if (*found_identity != identity) {
    return Status::invalid(fmt::format("prefix cache: {} was made with {}, this is {}; delete it or use the settings it was made with",
                                       path, quoted(*found_identity, 200), quoted(identity, 200)));
  }
  const auto page_bytes = reader.take<uint64_t>(), count = reader.take<uint64_t>();
  if (!page_bytes || !count || *page_bytes != static_cast<uint64_t>(pool_->layout().page_bytes())) return damaged(path, "is cut off");
  const auto records = read_records(reader, *count);
  if (!records || reader.left() % *page_bytes != sizeof(uint64_t) || reader.left() / *page_bytes != *count) {
    return damaged(path, "is cut off or damaged");
  }
  const size_t head_bytes = kMagic.size() + reader.position();
  uint64_t hash = hash_bytes(bytes.first(head_bytes));
  for (uint64_t i = 0; i < *count; ++i) hash = hash_bytes(bytes.subspan(head_bytes + i * *page_bytes, *page_bytes), hash);
  if (hash != format::load_little_endian<uint64_t>(bytes.data() + bytes.size() - sizeof hash)) return damaged(path, "is damaged");

  std::vector<Node*> nodes;  // of the leading records
  for (const Record& record : *records) {
    const auto page = pool_->take();
    if (!page) break;
    std::memcpy(pool_->data(*page), reader.take_bytes(*page_bytes)->data(), *page_bytes);
    Node* parent = record.parent > 0 ? nodes[record.parent - 1] : nullptr;
    const auto root = roots_.find(record.root);
    Node* known = parent == nullptr && root == roots_.end() ? nullptr : find_full(parent ? parent->children : root->second, record.tokens);
    nodes.push_back(known ? known : add(record.root, parent, record.tokens, *page));
    pool_->release(*page);                                                      // the tree owns it, or has no use for it
    if (known == nullptr) nodes_.splice(nodes_.end(), nodes_, nodes_.begin());  // in the file's order, behind what is here
  }
  return {};
}

}  // namespace atelier::generate
