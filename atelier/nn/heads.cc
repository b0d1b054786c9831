#include "atelier/nn/heads.h"

#include <algorithm>

#include "atelier/base/error.h"

namespace atelier::nn {
namespace {

constexpr HeadDef kHeads[] = {
    {HeadKind::kNextSentence, "next_sentence", "does text B follow text A", "Devlin et al. 2018, arXiv:1810.04805, 3.1", true},
    {HeadKind::kSequence, "sequence", "labels of a text or a pair of texts, or a number", "Devlin et al. 2018, arXiv:1810.04805, 4.1",
     true},
    {HeadKind::kChoice, "choice", "which of several answers", "Radford et al. 2018, Improving Language Understanding, 3.3", true},
    {HeadKind::kToken, "token", "a label for each token", "Devlin et al. 2018, arXiv:1810.04805, 5.3", false},
    {HeadKind::kSpan, "span", "where in a text the answer begins and ends", "Devlin et al. 2018, arXiv:1810.04805, 4.2", false},
};

}  // namespace

std::span<const HeadDef> heads() { return kHeads; }

const HeadDef& head_def(HeadKind kind) {
  const auto found = std::ranges::find(kHeads, kind, &HeadDef::kind);
  ATELIER_CHECK(found != std::end(kHeads));
  return *found;
}

}  // namespace atelier::nn
