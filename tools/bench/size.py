"""What fills the binary: the symbols of an unstripped build, summed up by module and, of
this module's data, by package. `make size` runs it.

    python tools/bench/size.py UNSTRIPPED STRIPPED
"""

import collections
import os
import re
import subprocess
import sys


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main(unstripped, stripped):
    listed = run("go", "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", "./cmd/rcvae")
    module_of = dict((line + " ").split(" ")[:2] for line in listed.splitlines())
    own = run("go", "list", "-m").strip()
    sizes = collections.Counter()
    for line in run("go", "tool", "nm", "-size", "-type", unstripped).splitlines():
        fields = line.split(maxsplit=3)
        if len(fields) < 4 or fields[2] in "bB" or fields[3].endswith("drbg.memory"):  # it takes no place in the file
            continue
        size, kind, name = int(fields[1]), fields[2], fields[3].split("[")[0]
        package = re.match(r"(?:type:\.\w+\.)?((?:.*/)?[^./]*)", name).group(1)
        module = module_of.get(package, "" if package != "main" else own)
        if module == own and "..gobytes." in name:
            module = f"embedded by {package}"
        sizes[module or "Go's standard library and runtime"] += size
    sections = re.findall(r"^\.(\w+)\s+(\d+)", run("size", "-A", unstripped), re.M)
    sizes["tables of functions (.gopclntab)"] = dict((n, int(s)) for n, s in sections)["gopclntab"]
    total = os.path.getsize(stripped)
    rest = total - sum(n for _, n in sizes.most_common(16))
    print(f"| MB of {total / 1e6:.1f} | |\n| ---: | --- |")
    for module, size in sizes.most_common(16):
        print(f"| {size / 1e6:.2f} | {module} |")
    print(f"| {rest / 1e6:.2f} | everything else |")


main(*sys.argv[1:])
