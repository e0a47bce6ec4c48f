import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseGood, problemsOf } from './support.ts';

suite('NICx', () => {
  test('in its bare form is just the model, on the bridge of the machine', () => {
    assert.deepEqual(parseGood('NIC1="virtio-net-pci"\nBRIDGE_IFNAME=br7\n').nics, [
      {
        index: 1,
        model: 'virtio-net-pci',
        net: 'bridge',
        hasOwnBridge: false,
        bridge: 'br7',
        mac: undefined,
        hostForwards: [],
        vlan: undefined,
        queues: undefined,
        mtu: undefined,
        isolated: false,
        lock: false,
        addresses: [],
        bootIndex: undefined,
      },
    ]);
    assert.equal(parseGood('NIC1=e1000\n').nics[0]?.bridge, 'br0');
  });

  test('takes a bridge, a MAC address and an MTU of its own', () => {
    const [nic] = parseGood('NIC1=e1000,bridge=br1,mac=DE:AD:be:ef:00:01,mtu=9000\n').nics;
    assert.equal(nic?.bridge, 'br1');
    assert.equal(nic?.mac, 'DE:AD:be:ef:00:01');
    assert.equal(nic?.mtu, 9000);
  });

  test('virtio is short for virtio-net-pci', () => {
    assert.equal(parseGood('NIC1=virtio,net=none\n').nics[0]?.model, 'virtio-net-pci');
  });

  test('forwards ports with net=user', () => {
    const forwards = ['tcp:127.0.0.1:2222-:22', 'udp::53-10.0.2.15:53', ':0.0.0.0:81-:81'];
    const [nic] = parseGood(`NIC1=e1000,net=user,${forwards.map((forward) => `hostfwd=${forward}`).join(',')}\n`).nics;
    assert.deepEqual(nic?.hostForwards, [
      { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestAddress: '', guestPort: 22 },
      { protocol: 'udp', hostAddress: '', hostPort: 53, guestAddress: '10.0.2.15', guestPort: 53 },
      { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 81, guestAddress: '', guestPort: 81 },
    ]);
    assert.equal(nic?.bridge, '');
  });

  test('a wrong port forward is refused', () => {
    const wrong = [
      'tcp:2222-:22',
      'tcp::0-:22',
      'tcp::65536-:22',
      'sctp::1-:1',
      'tcp:localhost:1-:1',
      'tcp:::1:1-:1',
      'x',
    ];
    for (const forward of wrong) {
      assert.match(
        problemsOf(`NIC1=e1000,net=user,hostfwd=${forward}\n`)[0] ?? '',
        /^1: NIC1 hostfwd must be like tcp:127\.0\.0\.1:2222-:22, not ".*"/,
        forward,
      );
    }
    assert.match(
      problemsOf('NIC1=e1000,net=passt,hostfwd=tcp::1-10.0.0.2:1\n')[0] ?? '',
      /^1: NIC1 hostfwd ".*" has a guest address, which net=passt does not support/,
    );
    assert.equal(
      parseGood('NIC1=e1000,net=passt,hostfwd=tcp:[::1]:1-:1\n').nics[0]?.hostForwards[0]?.hostAddress,
      '::1',
    );
    assert.deepEqual(problemsOf('NIC1=e1000,net=user,hostfwd=tcp:[::1]:1-:1\n'), [
      '1: NIC1 hostfwd "tcp:[::1]:1-:1" is IPv6, which QEMU does not forward with net=user (net=passt forwards IPv6 too)',
    ]);
    assert.deepEqual(problemsOf('NIC1=e1000,queues=2\n'), [
      '1: NIC1 has queues=2, which "e1000" does not support (use virtio-net-pci)',
    ]);
    assert.deepEqual(problemsOf('NIC1=e1000,net=user,hostfwd=tcp::1-:1\nNIC2=e1000,net=user,hostfwd=tcp::1-:2\n'), [
      '2: NIC2 forwards "tcp::1", which NIC1 already forwards',
    ]);
  });

  test('options that do not fit to net= are refused', () => {
    assert.deepEqual(problemsOf('NIC1=e1000,hostfwd=tcp::1-:1\nNIC2=e1000,net=user,bridge=br1\n'), [
      '1: NIC1 has hostfwd= without net=user (add net=user)',
      '2: NIC2 has bridge= with net=user; it needs net=bridge',
    ]);
  });

  test('a wrong model, MAC address or bridge is refused', () => {
    assert.deepEqual(problemsOf('NIC1=e1000,mac=01:00:5e:00:00:01\nNIC2=e1000,mac=1,bridge=a/b\nNIC3="e1000 x"\n'), [
      '1: NIC1 mac "01:00:5e:00:00:01" is a multicast address; the first byte must be even',
      '2: NIC2 bridge "a/b" is not the name of an interface; a name has 1 to 15 bytes without blanks, "/", ":", "%", "#", ' +
        'quotes and backslashes, and does not start with "-"',
      '2: NIC2 mac "1" is not a MAC address; it must be xx:xx:xx:xx:xx:xx in hexadecimal',
      '3: NIC3 "e1000 x" is not a model: it may have only letters, digits, "_", "." and "-" ' +
        '(start with a QEMU NIC model such as virtio-net-pci or e1000)',
    ]);
    assert.match(problemsOf('NIC1=net=user\n')[0] ?? '', /"net=user" is not a model/);
    assert.match(problemsOf('NIC1=e1000,user\n')[0] ?? '', /\(write net=user\)$/);
    assert.match(problemsOf('NIC1=e1000,mac=00:00:00:00:00:00\n')[0] ?? '', /cannot be the address of a NIC/);
  });

  test('two cards of a machine do not have one MAC address', () => {
    assert.deepEqual(problemsOf('NIC1=e1000,mac=de:ad:be:ef:00:01\nNIC2=e1000,mac=DE:AD:BE:EF:00:01\n'), [
      '2: NIC2 has the same MAC address as NIC1: "DE:AD:BE:EF:00:01"',
    ]);
  });

  test('takes the options of its tap', () => {
    const [nic] = parseGood(
      'NIC1=virtio,vlan=5,queues=2,isolated=on,lock=on,ip=192.0.2.7,ip=2001:db8::/64,net=bridge\n',
    ).nics;
    assert.equal(nic?.vlan, 5);
    assert.equal(nic?.queues, 2);
    assert.equal(nic?.isolated, true);
    assert.equal(nic?.lock, true);
    assert.deepEqual(nic?.addresses, ['192.0.2.7', '2001:db8::/64']);
  });

  test('wrong options of its tap are refused', () => {
    assert.deepEqual(problemsOf('NIC1=e1000,vlan=4095,queues=0,lock=on,ip=1.2.3,ip=1.2.3.4/33\nNIC2=e1000,ip=::1\n'), [
      '1: NIC1 vlan must be a whole number from 1 to 4094, not "4095"',
      '1: NIC1 queues must be a whole number from 1 to 256, not "0"',
      '1: NIC1 ip "1.2.3" is not an address such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::7',
      '1: NIC1 ip "1.2.3.4/33" is not an address such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::7',
      '2: NIC2 has ip= without lock=on (add lock=on)',
    ]);
    assert.match(problemsOf('NIC1=e1000,net=user,isolated=on\n')[0] ?? '', /isolated= with net=user/);
  });
});
