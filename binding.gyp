# The shipped build: node-gyp, and prebuildify on top of it. CMakeLists.txt is the developers' build.
{
  'targets': [
    {
      'target_name': 'netlink_ct',
      'sources': ['<!@(node scripts/native-sources.mjs sources)'],
      'include_dirs': ['native'],
      'dependencies': ['<!(node -p "require(\'node-addon-api\').targets"):node_addon_api_except'],
      'defines': ['<!@(node scripts/native-sources.mjs defines)'],
      'cflags_cc': [
        '<!@(node scripts/native-sources.mjs cflags)',
        # Named again as system folders, the headers of Node and node-addon-api are exempt from our warnings.
        '-isystem', '<!(node -p "path.dirname(require.resolve(\'node-addon-api\'))")',
        '-isystem', '<(node_root_dir)/include/node',
      ],
      # Node's own settings for its addons, which contradict ours.
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-std=c++17', '-fno-rtti', '-fno-exceptions'],
      'cflags!': ['-fno-exceptions'],
      'ldflags': ['<!@(node scripts/native-sources.mjs ldflags)'],
      'libraries': ['<!@(node scripts/native-sources.mjs libraries)'],
    },
  ],
}
