// Small files and folders. Large files are mapped (io/mapped_file.h) and written through io/atomic_file.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::io {

inline constexpr int64_t kDefaultReadLimit = int64_t{1} << 30;

// The whole of a regular file; refused when it is longer than `limit_bytes`.
Result<std::string> read_file(const std::string& path, int64_t limit_bytes = kDefaultReadLimit);

bool is_file(const std::string& path);       // a regular file, links followed
bool is_directory(const std::string& path);  // links followed

Result<int64_t> file_size(const std::string& path);

// Names in a folder, sorted, without "." and "..".
Result<std::vector<std::string>> list_directory(const std::string& path);

// Creates `path` and the folders above it; fine when it exists already.
Status make_directories(const std::string& path);

// "a/b" + "c" -> "a/b/c"; the folder of "a/b/c" is "a/b", of "c" is "."; the name of "a/b/c" is "c".
std::string join_path(const std::string& folder, const std::string& name);
std::string folder_of(const std::string& path);
std::string name_of(const std::string& path);

}  // namespace atelier::io
