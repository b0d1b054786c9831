// What a stranger's first program looks like: the installed headers, the installed archive, one call into each table.
#include <cstdio>

#include "all_headers.h"

int main() {
  for (atelier::kernels::Isa isa : atelier::kernels::supported_isas()) std::printf("isa %s\n", atelier::kernels::isa_name(isa));
  for (const atelier::quant::BlockFormat* format : atelier::quant::block_formats()) std::printf("format %s\n", format->summary);
  return atelier::quant::block_formats().empty() ? 1 : 0;
}
