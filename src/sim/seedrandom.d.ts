// The package's types cover its main entry only, which pulls in Node's crypto; we use one algorithm.
declare module "seedrandom/lib/xor128.js" {
  interface Xor128 {
    (): number;
    int32(): number;
  }
  export default function xor128(seed: string | number): Xor128;
}
