{
  "targets": [
    {
      "target_name": "switchyard_engine",
      "conditions": [
        [
          "OS=='linux'",
          {
            "sources": [
              "src/accepting.cc",
              "src/addon.cc",
              "src/block.cc",
              "src/check.cc",
              "src/core.cc",
              "src/dialling.cc",
              "src/ending.cc",
              "src/engine_thread.cc",
              "src/greeting.cc",
              "src/hello_framing.cc",
              "src/life.cc",
              "src/mailbox.cc",
              "src/proxy_framing.cc",
              "src/reason.cc",
              "src/record_walk.cc",
              "src/rejecting.cc",
              "src/relaying.cc",
              "src/report_ring.cc",
              "src/slab.cc",
              "src/splicing.cc",
              "src/syscalls.cc"
            ],
            "defines": ["NAPI_VERSION=8"],
            "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
            "cflags_cc": [
              "-std=c++20",
              "-fno-exceptions",
              "-fno-rtti",
              "-O2",
              "-fvisibility=hidden",
              "-Wall",
              "-Wextra",
              "-Wshadow"
            ],
            "ldflags": ["-Wl,-z,relro,-z,now"]
          },
          {"type": "none"}
        ]
      ]
    }
  ]
}
