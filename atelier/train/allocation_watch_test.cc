// The operators of this test program, alone in their file: beside code that allocates the compiler would see a mismatch.
#include "tests/support/allocation_operators.h"
