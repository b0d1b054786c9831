#!/usr/bin/env bash
# The end of `make demo`: one answer in the terminal, then what to try next. demo.sh path/to/atelier
set -euo pipefail
atelier="$1"

echo
"$atelier" chat smollm2-135m-instruct --temperature 0 --temperature 0 --message "What is photosynthesis?"
cat <<END

That was SmolLM2-135M-Instruct, a small model, on this machine's CPU. Try next:

  $atelier chat smollm2-135m-instruct                        talk to it; /help lists what you can type
  $atelier chat smollm2-135m-instruct --top 5                see the five likeliest tokens at every step
  $atelier generate smollm2-135m-instruct --prompt "Once"    complete a text
  $atelier inspect smollm2-135m-instruct                     what is inside the model
  $atelier doctor smollm2-135m-instruct                      what this machine could reach with it
  $atelier --help                                            everything else
END
