# SPDX-License-Identifier: GPL-3.0-or-later
# encoding: utf-8
#
# How ntsign is built: by waf, the build system that comes with Samba's source
# (packaging/sdk fetches both and writes build/waf).
#
#   packaging/sdk
#   build/waf configure
#   build/waf build
#   build/waf install [--destdir=DIR]
#
# What is built where: source/core is pure and never sees Samba's headers;
# source/smbd is the only code that does. ntsign.so is linked with nothing
# beyond libc, because what it needs smbd has loaded already and each
# connection's process pays for every library that is loaded anew. libcrypto,
# which smbd has not, is in ntsign-crypto.so, loaded on first need.
#
# Invariant: the module is only ever installed after check_module() has shown
# that smbd can load it.

import base64
import functools
import hashlib
import os
import re
import shutil
import struct
import subprocess

from waflib import Context, Errors, Logs
from waflib.Tools import c, ccroot

APPNAME = 'ntsign'
VERSION = '0.1.0'

top = '.'
out = os.environ.get('NTSIGN_OUT') or 'build/out'

# Warnings that gcc and clang both know. Callbacks have the parameters that
# smbd, tevent and cmocka give them, used or not.
WARNINGS = '''
    -Wall -Wextra -Werror -Wno-unused-parameter
    -Wmissing-prototypes -Wmissing-declarations -Wstrict-prototypes
    -Wold-style-definition -Wshadow -Wvla -Wformat=2 -Wundef
    -Wpointer-arith -Wwrite-strings -Wcast-align -Wredundant-decls
    -Wdate-time
    '''.split()

# What C++ has no such thing of.
C_ONLY = '''
    -std=gnu11 -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition
    -Wjump-misses-init
    '''.split()

# Taken where the compiler has them.
OPTIONAL_FLAGS = '''
    -Wlogical-op -Wduplicated-cond -Wjump-misses-init
    -fstack-clash-protection -fcf-protection
    '''.split()

HARDENING = '-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2'

EXPORTS = {
    'ntsign': ['samba_init_module'],
    'ntsign-crypto': ['ntsign_crypto_abi', 'ntsign_mac_*',
                      'ntsign_certificate_*'],
}

# Weak references that compilers put into every shared object.
TOOLCHAIN_SYMBOLS = ['__gmon_start__', '_ITM_deregisterTMCloneTable',
                     '_ITM_registerTMCloneTable', '__cxa_finalize']

# What finds the others' targets, and the compiler's own.
NOT_BY_JUMP = ['dl_iterate_phdr', 'dlopen', 'dlsym', 'dlerror'] + TOOLCHAIN_SYMBOLS

# The part of the tool that reads records, and other files that may be anything;
# tests and fuzz targets link it.
READING = '''
    follow_line html input json moment object output proc progress reader
    reading rotated table tally tally_merge tally_session tally_sort trend unpack
    when words
    '''.split()

READING_USES = 'SIMDJSON Z LZMA ZSTD THREADS ELF'

# Packages of Debian and its relatives that have what configure looks for.
LIBRARIES = {
    'TALLOC': ('talloc', 'talloc.h', 'libtalloc-dev'),
    'JANSSON': ('jansson', 'jansson.h', 'libjansson-dev'),
    'TDB': ('tdb', 'tdb.h', 'libtdb-dev'),
    'CRYPTO': ('crypto', 'openssl/evp.h', 'libssl-dev'),
    'Z': ('z', 'zlib.h', 'zlib1g-dev'),
    'LZMA': ('lzma', 'lzma.h', 'liblzma-dev'),
    'ZSTD': ('zstd', 'zstd.h', 'libzstd-dev'),
    'ELF': ('elf', 'gelf.h', 'libelf-dev'),
    'CMOCKA': ('cmocka', 'cmocka.h', 'libcmocka-dev'),
}


def options(opt):
    opt.load('compiler_c compiler_cxx')
    opt.parser.set_defaults(prefix='/usr')
    prefix = opt.parser.get_option('--prefix')
    prefix.help = 'where the command and the man pages go [default: \'/usr\']'
    group = opt.add_option_group(
        'ntsign', 'These are for configure. Several variants of the build '
        'can exist side by side: the environment variable NTSIGN_OUT names '
        'the output directory (default: build/out) for every command, as in '
        'NTSIGN_OUT=build/asan build/waf configure --enable-asan. CC=clang '
        'chooses the compiler; CFLAGS and LDFLAGS are added.')
    group.add_option('--samba-sdk', metavar='DIR', default=None,
                     help='Samba\'s headers, as made by packaging/sdk '
                          '(default: build/sdk/current)')
    group.add_option('--modulesdir', metavar='DIR', default=None,
                     help='Samba\'s module directory (default: what smbd -b '
                          'says)')
    group.add_option('--without-tool', action='store_true', default=False,
                     help='the module alone: nothing of source/tool is read, '
                          'no C++ compiler and no library of the command '
                          'is needed')
    group.add_option('--enable-asan', action='store_true', default=False,
                     help='AddressSanitizer and UBSan in everything, the '
                          'module too')
    group.add_option('--coverage', action='store_true', default=False,
                     help='count executed lines and branches for gcov')
    group.add_option('--with-tests', action='store_true', default=False,
                     help='build the unit tests, OUT/test/unit/test_*')
    group.add_option('--with-fuzz', action='store_true', default=False,
                     help='build the fuzz targets, OUT/test/fuzz/fuzz_* '
                          '(clang only)')


# ----------------------------------------------------------------- configure

def user_path(path):
    return os.path.normpath(
        os.path.join(os.environ.get('NTSIGN_CWD') or os.getcwd(), path))


def run(conf, command):
    # What is preloaded here (libfaketime, libeatmydata) is none of smbd's.
    env = {k: v for k, v in os.environ.items() if k != 'LD_PRELOAD'}
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, encoding='utf-8',
                              errors='replace', check=False, env=env)
    except OSError as e:
        conf.fatal('cannot run %s: %s' % (command[0], e.strerror))
    return done.stdout


def find_sdk(conf):
    """The headers, and the smbd that packaging/sdk made them for."""
    sdk = conf.srcnode.abspath() + '/build/sdk/current'
    if conf.options.samba_sdk:
        sdk = user_path(conf.options.samba_sdk)
    sdk = os.path.realpath(sdk)
    try:
        with open(sdk + '/stamp', encoding='utf-8') as f:
            stamp = dict(line.rstrip('\n').split('=', 1) for line in f)
        with open(sdk + '/flags', encoding='utf-8') as f:
            flags = f.read().split()
    except OSError:
        conf.fatal('%s has no headers of Samba: run packaging/sdk' % sdk)
    smbd = stamp['smbd']
    running = re.search(r'^Version (\S+)', run(conf, [smbd, '-V']), re.M)
    if not running or running.group(1) != stamp['samba']:
        conf.fatal('%s is %s, but the headers in %s are of %s: run '
                   'packaging/sdk' % (
                       smbd, running.group(1) if running else 'no smbd', sdk,
                       stamp['samba']))
    conf.msg('Checking for Samba\'s headers', '%s (%s)' % (
        stamp['samba'], sdk))

    build = dict(re.findall(r'^ +([A-Z_]+): (.*)$', run(conf, [smbd, '-b']),
                            re.M))
    for key in ('MODULESDIR', 'CONFIGFILE', 'LOGFILEBASE', 'LOCKDIR'):
        if not build.get(key):
            conf.fatal('%s -b does not print its %s' % (smbd, key))
    if not re.fullmatch(r'[A-Za-z0-9.+~:_-]+', stamp['samba']):
        conf.fatal('%s has a version that fits into no note: %s' % (
            smbd, stamp['samba']))
    conf.env.SDK = sdk
    conf.env.SMBD = smbd
    conf.env.SAMBA_VERSION = stamp['samba']
    conf.env.SMBD_LIBRARIES = [
        f for f in re.findall(r'(/\S+) \(0x', run(conf, ['ldd', smbd]))
        if os.path.isfile(f)]
    for tool in ('nm', 'objcopy', 'readelf'):
        conf.find_program(tool)
    # The library that every process which loads VFS modules has.
    base = [f for f in conf.env.SMBD_LIBRARIES if 'smb_register_vfs' in
            offered_by(conf.env.NM[0], (f,))]
    if len(base) != 1:
        conf.fatal('%s has %d libraries with smb_register_vfs(), not one' % (
            smbd, len(base)))
    conf.define('NTSIGN_SMBD_LIBRARY', os.path.basename(base[0]))
    conf.env.MODULESDIR = conf.options.modulesdir or build['MODULESDIR']
    conf.msg('Checking for Samba\'s module directory', conf.env.MODULESDIR)

    # Directories in flags are relative to the headers' own.
    cflags = []
    for flag in flags:
        if cflags and cflags[-1] == '-isystem':
            flag = os.path.normpath(os.path.join(sdk, flag))
        cflags.append(flag)
    conf.env.CFLAGS_SMBD = cflags

    conf.env.VERSION = VERSION
    conf.define('NTSIGN_VERSION', VERSION)
    conf.define('NTSIGN_SAMBA_VERSION_STRING', stamp['samba'])
    conf.define('NTSIGN_CONFIGFILE', build['CONFIGFILE'])
    conf.define('NTSIGN_LOGFILEBASE', build['LOGFILEBASE'])
    conf.define('NTSIGN_LOCKDIR', build['LOCKDIR'])
    conf.define('NTSIGN_MODULESDIR', conf.env.MODULESDIR)
    conf.define('NTSIGN_SMBD', smbd)


def probe_samba(conf):
    """Capabilities in which Samba's releases differ, one compile each.

    source/smbd/compat.h acts on them; nothing else knows of versions.
    """
    start = '#include "includes.h"\n#include "smbd/smbd.h"\n' \
            '#include "smbd/globals.h"\n'
    probes = (
        ('NTSIGN_HAVE_SMBXSRV_SESSION_H',
         'smbd/smbXsrv_session.h',
         '#include "smbd/smbXsrv_session.h"\n'
         'int main(void) { return 0; }\n'),
        ('NTSIGN_HAVE_SMB2_READ_HDR_DONE',
         'hdr.done in smbd_smb2_request_read_state',
         'bool probe(const struct smbd_smb2_request_read_state *state);\n'
         'bool probe(const struct smbd_smb2_request_read_state *state)\n'
         '{ return state->hdr.done; }\n'
         'int main(void) { return 0; }\n'),
        ('NTSIGN_HAVE_SMBXSRV_SESSION_GLOBAL0',
         'struct smbXsrv_session_global0',
         'int main(void)\n'
         '{ return sizeof(struct smbXsrv_session_global0) > 1000000; }\n'),
    )
    for name, what, code in probes:
        conf.check_cc(msg='Checking for ' + what, fragment=start + code,
                      features='c', use='SMBD', cflags=['-Werror'],
                      define_name=name, mandatory=False)


def find_libraries(conf, names):
    missing = []
    for name in names:
        lib, header, package = LIBRARIES[name]
        before = '#include <stdarg.h>\n#include <stddef.h>\n' \
                 '#include <stdint.h>\n#include <setjmp.h>\n' \
                 '#include <sys/types.h>\n'
        try:
            conf.check_cc(msg='Checking for ' + lib, lib=lib,
                          uselib_store=name, global_define=False,
                          fragment=before + '#include <%s>\n'
                          'int main(void) { return 0; }\n' % header)
        except Errors.ConfigurationError:
            missing.append(package)
        conf.env['DEFINES_' + name] = []
    if missing:
        conf.fatal('needed and not installed: apt-get install %s' %
                   ' '.join(missing))


def find_simdjson(conf):
    """A library of C++, called by one file that C links with."""
    try:
        conf.check_cxx(msg='Checking for simdjson', lib=['simdjson'],
                       uselib_store='SIMDJSON', global_define=False,
                       cxxflags=['-std=gnu++17'],
                       fragment='#include <simdjson.h>\n'
                       'int main() { simdjson::dom::parser p; '
                       'return p.allocate(64) != simdjson::SUCCESS; }\n')
    except Errors.ConfigurationError:
        conf.fatal('needed and not installed: apt-get install '
                   'libsimdjson-dev')
    conf.env.DEFINES_SIMDJSON = []
    conf.env.CXXFLAGS_SIMDJSON = []
    conf.env.LIB_SIMDJSON = ['simdjson', 'stdc++']
    conf.env.LIB_THREADS = ['pthread']
    conf.env.CFLAGS_THREADS = ['-pthread']


def configure(conf):
    conf.load('compiler_c')
    env = conf.env
    o = conf.options
    env.WITH_TOOL = not o.without_tool
    if o.without_tool and (o.with_tests or o.with_fuzz):
        conf.fatal('--without-tool leaves out what --with-tests and '
                   '--with-fuzz build')
    if env.WITH_TOOL:
        if is_clang(conf) and not os.environ.get('CXX'):
            env.CXX = ['clang++']
        conf.load('compiler_cxx')
    if o.with_fuzz and not conf.check_cc(
            msg='Checking for libFuzzer', mandatory=False,
            fragment='#include <stddef.h>\n#include <stdint.h>\n'
                     'int LLVMFuzzerTestOneInput(const uint8_t *, size_t);\n'
                     'int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)'
                     '\n{ return d != NULL && n > 9; }\n',
            cflags=['-fsanitize=fuzzer'], linkflags=['-fsanitize=fuzzer']):
        conf.fatal('--with-fuzz needs clang with libFuzzer: CC=clang '
                   'build/waf configure --with-fuzz (apt-get install clang)')

    find_sdk(conf)
    find_libraries(conf, ['TALLOC', 'JANSSON', 'CRYPTO'] +
                   (['TDB', 'Z', 'LZMA', 'ZSTD', 'ELF']
                    if env.WITH_TOOL else []) +
                   (['CMOCKA'] if o.with_tests else []))
    if env.WITH_TOOL:
        find_simdjson(conf)
    probe_samba(conf)

    # --coverage and sanitizers are for findings, not for use: no hardening,
    # and code that stays near its source.
    flags = ['-g', '-std=gnu11', '-D_GNU_SOURCE=1', '-ffunction-sections',
             '-fdata-sections', '-fvisibility=hidden'] + WARNINGS
    link = ['-Wl,-z,relro,-z,now,-z,noexecstack', '-Wl,--gc-sections',
            '-Wl,--as-needed']
    for flag in OPTIONAL_FLAGS:
        if conf.check_cc(msg='Checking for ' + flag, cflags=['-Werror', flag],
                         features='c', fragment='int main(void) '
                         '{ return 0; }\n', mandatory=False):
            flags.append(flag)
    if o.enable_asan:
        sanitizers = ['-fsanitize=address,undefined']
        flags += sanitizers + ['-O1', '-fno-omit-frame-pointer',
                               '-fno-sanitize-recover=undefined',
                               '-Wno-maybe-uninitialized'
                               if env.CC_NAME == 'gcc' and not is_clang(conf)
                               else '-Wno-unknown-warning-option']
        link += sanitizers
    if o.coverage:
        flags += ['--coverage', '-O0']
        link += ['--coverage']
    if not o.enable_asan and not o.coverage:
        flags += ['-O2'] + HARDENING.split()
    if not o.coverage:
        flags += same_paths(conf)
    # What the user's environment says comes last and wins.
    env.CXXFLAGS = ['-std=gnu++17', '-fno-exceptions', '-fno-rtti'] + [
        f for f in flags if f not in C_ONLY] + env.CXXFLAGS
    env.CFLAGS = flags + env.CFLAGS
    env.LINKFLAGS = link + env.LINKFLAGS
    env.SANITIZED = bool(o.enable_asan)
    env.IMPORTS = not o.enable_asan and not o.coverage
    env.WITH_TESTS = bool(o.with_tests)
    env.WITH_FUZZ = bool(o.with_fuzz)

    conf.write_config_header('include/ntsign_config.h',
                             guard='NTSIGN_CONFIG_H')
    for name, symbols in EXPORTS.items():
        node = conf.bldnode.make_node(name + '.map')
        node.write('{ global: %s; local: *; };\n' % '; '.join(symbols))
        env.append_value('cfg_files', [node.abspath()])


def same_paths(conf):
    """Flags that have files named as they are from the top of the source.

    So what is built is the same wherever the source, the headers of Samba and
    the output directory lie, byte for byte.
    """
    src = conf.srcnode.abspath()
    bld = conf.bldnode.abspath()
    maps = [(src, '.')]
    if not conf.env.SDK.startswith(src + '/'):
        maps.append((conf.env.SDK,
                     './build/sdk/' + os.path.basename(conf.env.SDK)))
    # The last that fits is taken; the compiler runs in the output directory.
    maps += [(bld, '.'), (os.path.relpath(src, bld), '.')]
    flags = ['-ffile-prefix-map=%s=%s' % m for m in maps]
    # clang may take another than the last.
    flag = '-ffile-compilation-dir=.'
    if is_clang(conf) and conf.check_cc(
            msg='Checking for ' + flag, cflags=['-Werror', flag],
            features='c', fragment='int main(void) { return 0; }\n',
            mandatory=False):
        flags.append(flag)
    return flags


def is_clang(conf):
    macros = subprocess.run(conf.env.CC + ['-dM', '-E', '-x', 'c',
                                           '/dev/null'],
                            stdout=subprocess.PIPE, encoding='utf-8',
                            check=False).stdout
    return '__clang__' in macros


# --------------------------------------------------------------------- build

def build(bld):
    includes = ['include', bld.bldnode.make_node('include')]
    needs_crypto = ['source/core/crypto.c', 'source/core/mac.c',
                    'source/core/certificate.c']
    core = bld.path.ant_glob('source/core/*.c', excl=needs_crypto)
    crypto = bld.path.ant_glob(needs_crypto)
    smbd = bld.path.ant_glob('source/smbd/*.c', excl='source/smbd/note.c')
    reading, tool = tool_sources(bld) if bld.env.WITH_TOOL else ([], [])
    installed = []

    if tool:
        bld.add_group('embed')
        bld(name='embed', rule=embed,
            source=['source/tool/report.css', 'source/tool/report.js'],
            target=bld.bldnode.make_node('include/report_html_parts.h'))

    manual = []
    for page in bld.path.ant_glob(
            ['packaging/man/*.8'] + (['packaging/man/*.1'] if tool else [])):
        manual.append(bld.bldnode.make_node('man/' + page.name))
        bld(name='manual ' + page.name, rule=manual_page,
            source=[page, 'packaging/NEWS'], target=manual[-1],
            vars=['VERSION'])

    bld.add_group('build')
    if core:
        bld.stlib(target='core', source=core, includes=includes,
                  cflags=['-fPIC'], install_path=None)
    if crypto:
        bld.objects(target='crypto', source=crypto, includes=includes,
                    cflags=['-fPIC', '-fvisibility=default'])
        bld.objects(target='note', source='source/smbd/note.c',
                    includes=includes, use='SMBD', cflags=['-fPIC'])
        shared_object(bld, 'ntsign-crypto', source=[], includes=includes,
                      use='crypto note core CRYPTO')
        installed.append(('${MODULESDIR}/ntsign/ntsign-crypto.so',
                          'ntsign-crypto.so', 0o644))
    if smbd:
        shared_object(bld, 'ntsign', source=smbd, includes=includes,
                      use='note core SMBD', features='c cshlib_weak')
        installed.append(('${MODULESDIR}/vfs/ntsign.so', 'ntsign.so', 0o644))
    if tool:
        bld.stlib(target='reading', source=reading, includes=includes,
                  features='c cxx cstlib', cflags=['-fPIC'],
                  cxxflags=['-fPIC'], install_path=None)
        bld.program(target='ntsign', source=tool, includes=includes,
                    use='reading crypto core TALLOC JANSSON TDB CRYPTO '
                        + READING_USES,
                    cflags=['-fPIE'],
                    linkflags=['-pie'], install_path=None)
        installed.append(('${PREFIX}/bin/ntsign', 'ntsign', 0o755))
    if bld.env.WITH_TESTS:
        unit_tests(bld, includes + ['test/unit', '.'])
    if bld.env.WITH_FUZZ:
        fuzz_targets(bld, includes + ['test/fuzz', '.'],
                     core + crypto + reading)

    bld.add_group('check')
    if smbd:
        bld(name='check ntsign.so', rule=check_module,
            source=bld.bldnode.make_node('ntsign.so'),
            target='ntsign.so.checked')
    if crypto:
        bld(name='check ntsign-crypto.so', rule=check_crypto,
            source=bld.bldnode.make_node('ntsign-crypto.so'),
            target='ntsign-crypto.so.checked')

    bld.add_group('install')
    for path, name, mode in installed:
        bld.install_as(path, bld.bldnode.make_node(name), chmod=mode)
    # Directories are for everybody, whatever the installer's umask is.
    if bld.is_install:
        os.umask(0o022)
    for page in manual:
        # ntsign-build is not installed from here, and neither is its page
        if page.name != 'ntsign-build.8':
            bld.install_files('${PREFIX}/share/man/man' + page.name[-1],
                              page)
    completion = bld.path.find_node('packaging/completion/ntsign')
    if tool and completion:
        bld.install_as('${PREFIX}/share/bash-completion/completions/ntsign',
                       completion)


def tool_sources(bld):
    """What tests and fuzz targets link too, and the rest of the command."""
    reading = [bld.path.find_resource('source/tool/%s.c' % name) or
               bld.path.find_resource('source/tool/%s.cc' % name)
               for name in READING]
    return reading, bld.path.ant_glob(
        'source/tool/*.c', excl=['source/tool/%s.c' % n for n in READING])


def embed(task):
    """Files as C strings, with the hashes that a page's policy names them by.
    """
    lines = ['/* Written by wscript. */']
    for node in task.inputs:
        text = '\n' + node.read(encoding='utf-8')
        name = node.name.replace('.', '_')
        if not text.isascii() or re.search(r'(?i)</(script|style)|<!--', text):
            Logs.error('%s: cannot stand in a page', node.abspath())
            return 1
        digest = hashlib.sha256(text.encode('ascii')).digest()
        lines += ['#define NTSIGN_%s_HASH "sha256-%s"' % (
                      name.upper(), base64.b64encode(digest).decode('ascii')),
                  'static const char ntsign_%s[] =' % name]
        lines += ['\t"%s"' % line.replace('\\', '\\\\')
                  .replace('"', '\\"').replace('?', '\\?').replace('\n', '\\n')
                  for line in text.splitlines(True)]
        lines[-1] += ';'
    task.outputs[0].parent.mkdir()
    task.outputs[0].write('\n'.join(lines) + '\n')
    return 0


def manual_page(task):
    """A page with the version, and the day on which that was released."""
    page, news = task.inputs
    version = task.env.VERSION
    date = re.search(r'^ntsign %s \((\d{4}-\d\d-\d\d)\)$' %
                     re.escape(version), news.read(encoding='utf-8'), re.M)
    if not date:
        Logs.error('%s: no entry begins with "ntsign %s (YYYY-MM-DD)", but '
                   'that is the version in wscript: packaging/release '
                   '--prepare writes one', news.abspath(), version)
        return 1
    text = page.read(encoding='utf-8')
    text = text.replace('@VERSION@', version)
    text = text.replace('@DATE@', date.group(1))
    task.outputs[0].parent.mkdir()
    task.outputs[0].write(text, encoding='utf-8')
    return 0


def shared_object(bld, name, features='c cshlib', **kw):
    script = bld.bldnode.make_node(name + '.map').abspath()
    task_gen = bld(features=features, target=name, cflags=['-fPIC'],
                   install_path=None,
                   # fewer segments: each connection's process maps them
                   linkflags=['-shared', '-Wl,-soname=' + name + '.so',
                              '-Wl,-z,noseparate-code',
                              '-Wl,--hash-style=gnu',
                              '-Wl,--version-script=' + script], **kw)
    task_gen.env.cshlib_PATTERN = '%s.so'
    task_gen.env.cshlib_weak_PATTERN = '%s.so'


ccroot.USELIB_VARS['cshlib_weak'] = ccroot.USELIB_VARS['cshlib']


class cshlib_weak(c.cshlib):
    """Links a module whose references to Samba's symbols are its own affair.

    The dynamic linker would look each name up in each of smbd's libraries,
    at every connection; and with strong references it refuses the module
    where one is missing, and the module cannot say why. That happens in
    another Samba than the one it was built for, and in samba-tool, because
    Python keeps the libraries of its extensions to itself. So functions are
    called by jumps whose targets source/smbd/imports.c finds in the library
    that has them; what remains are weak references to data. On other
    processors than amd64, and for the sanitizers, all are weak references.
    """

    def run(self):
        env = self.env
        task_gens = self.generator.bld.get_tgen_by_name
        core = [task_gens(name).link_task.outputs[0].abspath()
                for name in env.STLIB]
        whole = self.outputs[0].change_ext('.whole.o')
        names = self.outputs[0].change_ext('.weak')
        ret = self.exec_command(
            env.LINK_CC + ['-r', '-nostdlib', '-o', whole.abspath()] +
            [node.abspath() for node in self.inputs] + core)
        if ret:
            return ret
        wanted = re.findall(r'^(\S+) U',
                            output_of(env.NM + ['-P', '-u', whole.abspath()]),
                            re.M)
        inputs = [whole]
        if env.DEST_CPU == 'x86_64' and env.IMPORTS:
            imports = self.imports(wanted)
            if imports is None:
                return 1
            inputs.append(imports)
        offered = offered_by(env.NM[0], tuple(
            f for f in env.SMBD_LIBRARIES if not is_libc(f)))
        names.write(''.join(word + '\n' for word in wanted
                            if word in offered))
        ret = self.exec_command(
            env.OBJCOPY + ['--weaken-symbols=' + names.abspath(),
                           whole.abspath()])
        if ret:
            return ret
        objects, self.inputs = self.inputs, inputs
        try:
            return super().run()
        finally:
            self.inputs = objects

    def imports(self, wanted):
        """The jumps, and what imports.c needs to find their targets."""
        env = self.env
        left = set(wanted) - set(NOT_BY_JUMP)
        found = []
        for path in env.SMBD_LIBRARIES:    # in the dynamic linker's order
            types = types_of(env.NM[0], path)
            here = sorted(n for n in left if types.get(n, '-') in 'TWi')
            left -= set(types)
            soname = re.search(
                r'\(SONAME\).*\[(.*)\]',
                output_of(env.READELF + ['-d', '-W', path]))
            if here and soname:
                found.append((soname.group(1), here))
        text = ['/* Written by wscript for %s. */' % env.SMBD,
                '#include <stddef.h>',
                'const unsigned char ntsign_import_names[] =']
        jumps = []
        for soname, functions in found:
            for name in [soname] + functions:
                if len(name) > 255:
                    self.generator.bld.fatal('%s: too long a name' % name)
                text.append('    "\\%03o" "%s" "\\000"' % (len(name), name))
            text.append('    "\\000"')
            jumps += functions
        text += [
            '    ;',
            '__attribute__((aligned(4096)))',
            'void *ntsign_import_targets[(%d * sizeof(void *) + 4095) / 4096'
            ' * 4096 / sizeof(void *)];' % len(jumps),
            'const size_t ntsign_import_targets_size =',
            '    sizeof(ntsign_import_targets);']
        for i, name in enumerate(jumps):
            text.append(
                '__asm__(".text\\n.p2align 4\\n.hidden {0}\\n.globl {0}\\n'
                '.type {0}, @function\\n{0}:\\n\\tendbr64\\n'
                '\\tjmp *ntsign_import_targets+{1}(%rip)\\n'
                '.size {0}, .-{0}\\n");'.format(name, 8 * i))
        source = self.outputs[0].change_ext('.imports.c')
        target = self.outputs[0].change_ext('.imports.o')
        source.write('\n'.join(text) + '\n')
        if self.exec_command(
                env.CC + ['-O2', '-fPIC', '-fvisibility=hidden',
                          '-fcf-protection', '-c', '-o', target.abspath(),
                          source.abspath()]):
            return None
        return target


def unit_tests(bld, includes):
    """A malloc() of a test's own has to be visible to the libraries."""
    helpers = bld.path.ant_glob('test/unit/*.c', excl='test/unit/test_*.c')
    for node in bld.path.ant_glob('test/unit/test_*.c'):
        bld.program(target=node.change_ext('').path_from(bld.bldnode),
                    source=[node] + helpers, includes=includes,
                    cflags=['-Wno-cast-align', '-fvisibility=default'],
                    use='reading crypto core CMOCKA TALLOC JANSSON CRYPTO '
                        + READING_USES,
                    install_path=None)


def fuzz_targets(bld, includes, sources):
    """core once more, instrumented, whatever the variant is.

    Targets for the tool's parsers include its files.
    """
    sanitizers = '-fsanitize=address,undefined'
    flags = ['-fPIC', '-fsanitize=fuzzer-no-link', sanitizers,
             '-fno-sanitize-recover=undefined']
    bld.stlib(target='fuzzed', source=sources, includes=includes,
              features='c cxx cstlib', cflags=flags, cxxflags=flags,
              install_path=None)
    helpers = bld.path.ant_glob('test/fuzz/*.c', excl='test/fuzz/fuzz_*.c')
    for node in bld.path.ant_glob('test/fuzz/fuzz_*.c'):
        bld.program(target=node.change_ext('').path_from(bld.bldnode),
                    source=[node] + helpers, includes=includes,
                    use='fuzzed TALLOC JANSSON CRYPTO ' + READING_USES,
                    cflags=['-fsanitize=fuzzer', sanitizers,
                            '-Wno-missing-prototypes'],
                    linkflags=['-fsanitize=fuzzer', sanitizers],
                    install_path=None)


# -------------------------------------------------------------------- checks

def output_of(command):
    return subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, encoding='utf-8',
                          check=True).stdout


def symbols_of(nm, which, files):
    """Dynamic symbols of files: {name: nm's type letter}."""
    found = {}
    for line in output_of([nm, '-D', '-P', which] + files).splitlines():
        word = line.split()
        if len(word) >= 2 and len(word[1]) == 1:
            found[word[0].split('@')[0]] = word[1]
    return found


@functools.lru_cache(maxsize=None)
def types_of(nm, library):
    return symbols_of(nm, '--defined-only', [library])


@functools.lru_cache(maxsize=None)
def offered_by(nm, libraries):
    return frozenset(symbols_of(nm, '--defined-only', list(libraries)))


def is_libc(path):
    return re.match(r'(libc|ld-linux.*|libm|libpthread|libdl)\.so',
                    os.path.basename(path))


def needed_by(readelf, path):
    return re.findall(r'\(NEEDED\).*\[(.*)\]',
                      output_of(readelf + ['-d', '-W', path]))


def is_sanitizer(env, name):
    return env.SANITIZED and re.match(
        r'__(asan|ubsan|lsan|sanitizer)_|lib(asan|ubsan)\.so', name)


def check_exports(task, path):
    env = task.env
    name = os.path.basename(path)[:-3]
    found = [s for s in symbols_of(env.NM[0], '--defined-only', [path])
             if not is_sanitizer(env, s)]
    allowed = [re.compile(re.escape(p).replace(r'\*', '.*') + '$')
               for p in EXPORTS[name]]
    errors = ['it exports ' + s for s in sorted(found)
              if not any(a.match(s) for a in allowed)]
    errors += ['it does not export %s (is it marked _PUBLIC_?)' % p
               for p, a in zip(EXPORTS[name], allowed)
               if not any(a.match(s) for s in found)]
    return errors


def check_needed(task, path, allowed):
    return ['it is linked with ' + lib
            for lib in needed_by(task.env.READELF, path)
            if lib not in allowed and not is_sanitizer(task.env, lib)]


def check_symbols(task, path, libraries):
    env = task.env
    offered = offered_by(env.NM[0], libraries)
    return ['no library of %s has the symbol %s' % (env.SMBD, name)
            for name in sorted(symbols_of(env.NM[0], '--undefined-only',
                                          [path]))
            if name not in offered and name not in TOOLCHAIN_SYMBOLS
            and not is_sanitizer(env, name)]


def note_of(env, path):
    """The text of include/ntsign/note.h's note; None where there is none."""
    section = re.search(r'\s\.note\.ntsign\s+NOTE\s+[0-9a-f]+\s+([0-9a-f]+)'
                        r'\s+([0-9a-f]+)\s+[0-9a-f]+\s+A\s',
                        output_of(env.READELF + ['-S', '-W', path]))
    if not section:
        return None
    with open(path, 'rb') as f:
        f.seek(int(section.group(1), 16))
        note = f.read(int(section.group(2), 16))
    order = '<' if byte_order(path) == 1 else '>'
    owner, size, kind = struct.unpack(order + '3I', note[:12])
    begin = 12 + (owner + 3) // 4 * 4
    text = note[begin:begin + size]
    if (note[12:12 + owner] != b'ntsign\0' or kind != 1 or
            len(text) != size or text[-1:] != b'\0'):
        return None
    return text[:-1].decode('ascii', 'replace')


def byte_order(path):
    """EI_DATA of an ELF file: 1 is little endian."""
    with open(path, 'rb') as f:
        return f.read(6)[5]


def check_note(task, path):
    """Does it say what it was made for, where a loader finds it too?"""
    env = task.env
    text = note_of(env, path)
    if text is None:
        return ['it has no note .note.ntsign of what it was made for']
    wanted = (r'module=%s\nrecord=[0-9]+\.[0-9]+\nsamba=%s\n'
              r'interface=[0-9]+\n' % (re.escape(env.VERSION),
                                       re.escape(env.SAMBA_VERSION)))
    errors = []
    if not re.fullmatch(wanted, text):
        errors.append('its note says %r' % text)
    if not re.search(r'^ +[0-9]+ .*\.note\.ntsign\b',
                     output_of(env.READELF + ['-l', '-W', path]), re.M):
        errors.append('its note is in no segment')
    return errors


def check_module(task):
    """Can the installed smbd load ntsign.so, and see only its entry point?

    It is linked with nothing, so that no symbol version holds it to one
    Samba and a symbol that smbd does not have would only show when smbd
    loads it. What counts are smbd's libraries, not smbd itself: the RPC
    workers load modules too.
    """
    env = task.env
    path = task.inputs[0].abspath()
    errors = check_exports(task, path)
    errors += check_needed(task, path, ['libc.so.6'])
    errors += check_symbols(task, path, tuple(env.SMBD_LIBRARIES))
    errors += check_note(task, path)
    return report(task, errors, 'fits %s' % env.SMBD)


def check_crypto(task):
    """ntsign-crypto.so is loaded into smbd too, and brings libcrypto."""
    path = task.inputs[0].abspath()
    errors = check_exports(task, path)
    errors += check_needed(task, path, ['libc.so.6', 'libcrypto.so.3'])
    own = re.findall(r'(/\S*libcrypto\S*) \(0x', output_of(['ldd', path]))
    errors += check_symbols(task, path,
                            tuple(task.env.SMBD_LIBRARIES) + tuple(own))
    errors += check_note(task, path)
    return report(task, errors, 'fits %s' % task.env.SMBD)


def report(task, errors, good):
    name = task.inputs[0].name
    for error in errors:
        Logs.error('%s: %s', name, error)
    if errors:
        return 1
    task.outputs[0].write(good + '\n')
    return 0


# ------------------------------------------------------------------ clean-up

def distclean(ctx):
    '''removes the output directory; the headers in build/sdk stay'''
    path = os.path.realpath(os.path.join(Context.run_dir, out))
    if os.path.isdir(os.path.join(path, 'c4che')):
        shutil.rmtree(path)
