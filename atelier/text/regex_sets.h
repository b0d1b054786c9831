// The sets of code points that a regular expression names: \p{…}, POSIX classes, folding of case. Internal to text/.
#pragma once

#include <unicode/uniset.h>

#include <memory>
#include <string>

#include "atelier/text/char_set.h"

namespace atelier::text {

// Adds the code points of a general category, script or binary property under ICU's names, of a POSIX class, or of "w" (\w).
// False when the name is not known.
bool add_property_set(const std::string& name, icu::UnicodeSet& set);

// Adds what differs from a member by case only.
void close_over_case(icu::UnicodeSet& set);

std::shared_ptr<const CharSet> freeze_set(const icu::UnicodeSet& set);

}  // namespace atelier::text
