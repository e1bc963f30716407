// How jemalloc is to behave; it reads this name before main. Blocks above 8 MiB go the way of all others (by default
// they are given back at once), in huge pages. Training changes the rest (KeepFreeMemory).
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "oversize_threshold:0,thp:always";
}
