#pragma once

// std::plus and its kin. All of <functional> would make up a fifth of what a file that includes furrow compiles.
#if __has_include(<bits/stl_function.h>)
#include <bits/stl_function.h>
#else
#include <functional>
#endif
