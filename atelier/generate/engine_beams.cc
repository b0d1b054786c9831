// Requests with a beam search: their step, their caches and what they say in the end.
#include "atelier/generate/engine_sequence.h"

namespace atelier::generate {
namespace {

FinishReason finish_reason(const BeamSearch::Finished& beam, int64_t max_tokens) {
  if (beam.has_end_token) return FinishReason::kStopToken;
  return static_cast<int64_t>(beam.tokens.size()) == max_tokens ? FinishReason::kLength : FinishReason::kContextFull;
}

Status say(Answer& answer, const BeamSearch::Finished& beam, FinishReason reason) {
  const std::span<const int32_t> tokens(beam.tokens);
  for (const int32_t id : tokens.first(tokens.size() - (beam.has_end_token ? 1 : 0))) ATELIER_RETURN_IF_ERROR(answer.append(id));
  return answer.has_ended() ? Status() : answer.end(reason);
}

}  // namespace

// A beam that goes on shares all pages with its parent, until it writes into the last one.
void Engine::write_beams(Sequence& sequence, std::span<const float> logits) {
  ++metrics_.decode_tokens;
  BeamSearch& search = *sequence.search;
  sequence.error = search.step(logits);
  if (!sequence.error.ok()) return;
  std::vector<nn::KvCache> caches;
  for (const BeamSearch::Running& beam : search.running()) {
    caches.push_back(sequence.beam_caches.empty() ? sequence.cache.fork() : sequence.beam_caches[beam.parent].fork());
  }
  sequence.beam_caches = std::move(caches);
  if (search.has_ended()) sequence.error = say_beams(sequence);
}

// Each finished beam becomes a text as an answer does; the best one is what the request says.
Status Engine::say_beams(Sequence& sequence) {
  const std::span<const BeamSearch::Finished> finished = sequence.search->finished();
  std::vector<Beam>& beams = sequence.answer.generation().beams;
  for (const BeamSearch::Finished& beam : finished) {
    Answer answer(sequence.answer.prompt(), {}, {}, tokenizer_);
    const FinishReason reason = finish_reason(beam, sequence.answer.options().max_tokens);
    ATELIER_RETURN_IF_ERROR(say(answer, beam, reason));
    beams.push_back({reason, std::move(answer.generation().ids), std::move(answer.generation().text), beam.score});
  }
  return say(sequence.answer, finished[0], beams[0].finish);
}

}  // namespace atelier::generate
