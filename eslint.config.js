// Style of the pages' modules beyond what TypeScript (jsconfig.json) and Prettier check.

import js from "@eslint/js";

export default [
  { ignores: ["**/*.d.ts", "node_modules/", "var/", ".venv/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off", // TypeScript knows the names of each place better
      "no-unused-vars": "off", // and also those that only types use

      // Names say what a thing is for: short functions, and nothing that reads in two ways.
      complexity: ["error", 12],
      "max-depth": ["error", 3],
      "max-lines-per-function": ["error", { max: 30, skipComments: true, skipBlankLines: true }],
      "max-params": ["error", 4],

      camelcase: ["error", { properties: "never", ignoreDestructuring: true }],
      curly: ["error", "multi-line"],
      "default-case-last": "error",
      eqeqeq: "error",
      "no-console": "error",
      "no-else-return": "error",
      "no-implicit-coercion": "error",
      "no-lonely-if": "error",
      "no-param-reassign": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unneeded-ternary": "error",
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
      strict: ["error", "function"],
    },
  },
  {
    files: ["static/js/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "TemplateLiteral TemplateLiteral",
          message: "Name the inner text: what makes modules smaller on their way reads no templates within templates.",
        },
      ],
    },
  },
  { files: ["tests/js/**"], rules: { "max-lines-per-function": "off" } },
  { files: ["static/js/lib/theme.js", "static/js/lib/zone.js"], languageOptions: { sourceType: "script" } },
];
