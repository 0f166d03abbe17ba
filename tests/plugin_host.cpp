// Opens, uses and closes a plugin with furrow in it (argument 1), again and again. Links neither furrow nor any runtime.
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <thread>

int main(int, char** arguments) {
  for (int i = 0; i < 20; ++i) {
    void* const plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
      std::printf("%s\n", dlerror());
      return 1;
    }
    const auto run = reinterpret_cast<int (*)()>(dlsym(plugin, "plugin_run"));
    if (run == nullptr || run() != 0 || dlclose(plugin) != 0) return 2;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // idle threads of the runtimes are still there
  }
  return 0;
}
